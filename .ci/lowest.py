"""Prints a pip constraint for each dependency: the lowest version that pyproject.toml allows."""

import tomllib
from pathlib import Path

from packaging.requirements import Requirement

LOWER_BOUNDS = ("==", "~=", ">=")


def lowest(requirement: str) -> str:
    """`name==version`, of a requirement that has one lower bound."""
    parsed = Requirement(requirement)
    (version,) = (one.version for one in parsed.specifier if one.operator in LOWER_BOUNDS)
    return f"{parsed.name}=={version}"


if __name__ == "__main__":
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    for requirement in sum(extras, project["dependencies"]):
        print(lowest(requirement))
