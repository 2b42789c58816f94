"""What every test has: one cache of simulations, and property tests that give the same in CI."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from dse.cli import main

ROOT = Path(__file__).parent.parent

# No deadline: the first example may wait for a build. In CI the examples are the same every time.
EXAMPLES = 20
settings.register_profile("full", deadline=None)
settings.register_profile("local", deadline=None, max_examples=EXAMPLES)
settings.register_profile(
    "ci", deadline=None, max_examples=EXAMPLES, derandomize=True, print_blob=True
)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`spread` leaves in the short tier some cases of a test, and puts the others in the long one.

    A number: so many of those that are not in the long tier anyway, evenly from the first to the
    last. Names: the cases with one of these values.
    """
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("spread"):
            cases.setdefault(item.nodeid.split("[")[0], []).append(item)
    for found in cases.values():
        (kept,) = found[0].get_closest_marker("spread").args
        if isinstance(kept, int):
            short = [one for one in found if not one.get_closest_marker("full")]
            count, last = min(kept, len(short)), len(short) - 1
            chosen = {short[last * n // max(count - 1, 1)] for n in range(count)}
        else:
            chosen = {one for one in found if not kept.isdisjoint(one.callspec.params.values())}
        for item in found:
            if item not in chosen:
                item.add_marker(pytest.mark.full)


@pytest.fixture(scope="session", autouse=True)
def shared_simulation_cache() -> Iterator[None]:
    """Tests, workers and runs share their builds; $HWGEN_CACHE, where set, says where."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HWGEN_CACHE", os.environ.get("HWGEN_CACHE") or str(ROOT / "build" / "cache"))
        yield


@pytest.fixture
def run(capsys):
    """Runs a command line of hwgen: status, standard output, standard error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        try:
            status = main(arguments)
        except SystemExit as exit:
            status = exit.code
        return status, *capsys.readouterr()

    return run
