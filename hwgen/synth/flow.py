"""Synthesis, one module at a time: each distinct one once, and none that the cache has."""

import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from hwgen import cache, yosys
from hwgen.synth import fan_out, hierarchy, mapping, timing
from hwgen.synth.hierarchy import Alone, Hierarchy
from hwgen.synth.liberty import Library
from hwgen.synth.netlist import Mapped
from hwgen.synth.result import ModuleResult, Synthesis, module_result

Progress = Callable[[int, int], None]
"""Told how many modules of how many are done."""

FASTEST_PS = 1.0
"""A clock target that no design meets: as fast as the tool can."""


class SynthesisError(RuntimeError):
    """A module that cannot be synthesised: one sentence."""


@dataclass(slots=True)
class Deadline:
    """The time that is left for all modules together."""

    limit_s: float | None
    started_s: float = field(default_factory=time.monotonic)

    @property
    def left_s(self) -> float | None:
        if self.limit_s is None:
            return None
        return max(0.001, self.limit_s - (time.monotonic() - self.started_s))


@dataclass(frozen=True, kw_only=True, slots=True)
class Effort:
    """How much work a synthesis may be.

    time_limit_s: for all modules together. jobs: modules at once, by default one a processor.
    cache_dir: where finished modules are kept. progress: told how far it is.
    """

    time_limit_s: float | None = None
    jobs: int | None = None
    cache_dir: Path | None = None
    progress: Progress = lambda done, total: None


def synthesise(
    verilog: str,
    top: str,
    library: Library | None,
    *,
    clock_ps: float = FASTEST_PS,
    engine: str = "wasm",
    flat: bool = False,
    effort: Effort | None = None,
) -> Synthesis:
    """The netlist of Verilog text in cells of a library, or in generic gates without one.

    clock_ps: what ABC sizes for. flat: as one module.
    Raises SynthesisError, YosysError, MissingYosysError, and TimeLimitError, which names a module.
    """
    effort = effort or Effort()
    cache_dir = effort.cache_dir or cache.default_cache_dir()
    deadline = Deadline(effort.time_limit_s)
    try:
        found = hierarchy.read(verilog, top, engine=engine, flat=flat, time_limit_s=deadline.left_s)
        kit = mapping.kit(
            library,
            clock_ps=clock_ps,
            engine=engine,
            cache_dir=cache_dir,
            time_limit_s=deadline.left_s,
        )
    except yosys.TimeLimitError as error:
        raise _too_slow(top, deadline) from error
    results = _results(found.logic, kit, cache_dir, effort, deadline)
    mapped = _joined(found, results, library)
    return Synthesis(
        mapped=mapped,
        modules=_modules(mapped, results, library),
        library=library,
        clock_target_ps=clock_ps if library else None,
        engine=engine,
        is_flat=flat,
        tools=dict([yosys.tool(engine)]),
        sta_limit_s=deadline.left_s or timing.TIME_LIMIT_S,
    )


def _results(
    modules: Mapping[str, Alone],
    kit: mapping.Kit,
    cache_dir: Path,
    effort: Effort,
    deadline: Deadline,
) -> dict[str, mapping.Result]:
    """All modules synthesised, in their order; those that the cache lacks several at once."""
    done = {name: mapping.cached(alone, kit, cache_dir) for name, alone in modules.items()}
    # Equal modules of one design have equal texts, and are made once.
    missing = {modules[name].text: name for name, result in done.items() if result is None}
    stop = threading.Event()

    def make(name: str) -> str:
        try:
            mapping.make(modules[name], kit, cache_dir, time_limit_s=deadline.left_s, stop=stop)
        except yosys.TimeLimitError as error:
            raise _too_slow(name, deadline) from error
        except yosys.YosysError as error:
            raise yosys.YosysError(f"module {name}: {error}") from error
        return name

    # The largest first, so that none is left over in the end.
    order = sorted(missing.values(), key=lambda name: -len(modules[name].text))
    with ThreadPoolExecutor(effort.jobs or os.cpu_count()) as pool:
        effort.progress(len(modules) - len(missing), len(modules))
        futures = [pool.submit(make, name) for name in order]
        try:
            for count, future in enumerate(as_completed(futures), 1):
                future.result()
                effort.progress(len(modules) - len(missing) + count, len(modules))
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    found = {}
    for name, alone in modules.items():
        result = done[name] or mapping.cached(alone, kit, cache_dir)
        if result is None:
            raise cache.CacheError(f"{cache_dir} must keep what is written to it, and it does not")
        found[name] = result
    return found


def _too_slow(name: str, deadline: Deadline) -> yosys.TimeLimitError:
    return yosys.TimeLimitError(
        f"module {name} must be synthesised within the time limit of {deadline.limit_s:g} s, and "
        "it is not (finished modules are kept)"
    )


def _joined(
    found: Hierarchy, results: Mapping[str, mapping.Result], library: Library | None
) -> Mapped:
    """The design with its mapped modules, and with fan-out trees where there is a library."""
    modules = {
        **found.structures,
        **{name: result.module for name, result in results.items()},
    }
    whole = Mapped(found.top, modules)
    mapped = Mapped(found.top, {name: modules[name] for name in whole.order})
    _check(mapped, library)
    return fan_out.with_trees(mapped, library) if library else mapped


def _check(mapped: Mapped, library: Library | None) -> None:
    known = {*mapped.modules, *mapping.cell_names(library)}
    for module in mapped.modules.values():
        for instance in module.cells.values():
            if instance.kind not in known:
                raise SynthesisError(
                    f"module {module.name} must be of logic, D flip-flops and memories, and it "
                    f"has a {instance.kind}"
                )


def _modules(
    mapped: Mapped, results: Mapping[str, mapping.Result], library: Library | None
) -> dict[str, ModuleResult]:
    names = frozenset(mapped.modules)
    return {
        name: module_result(
            module,
            mapped.instance_counts[name],
            library,
            results[name].delay_ps if name in results else None,
            names,
        )
        for name, module in mapped.modules.items()
    }
