"""What a command line asks for: a design, and which of its workloads."""

from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from designs import Design, DesignError, Gemm, Workload, load
from designs.document import Node, Place, not_among, parse
from designs.families import kind_of, workload_key, workload_type
from designs.loader import check_workload, check_workloads, read_workload
from designs.objects import build
from designs.rules import RuleError

WORKLOAD = "--workload"


def design_of(args: Namespace) -> Design:
    """The design that DESIGN and `--set` ask for."""
    return load(args.design, args.overrides)


@contextmanager
def circuit_of(design: Design) -> Iterator[None]:
    """Where a circuit of the design is made; a rule of circuits that it breaks is a DesignError."""
    try:
        yield
    except RuleError as error:
        raise DesignError(f"{design.name}: {error}") from error


def workloads_of(design: Design, args: Namespace) -> Mapping[str, Workload]:
    """What `--gemm` or `--workload` ask for; without either, all of the design's.

    Raises DesignError where the design cannot run one of them.
    """
    if args.gemm is not None:
        return {"gemm": gemm(args.gemm, design)}
    if args.workload is not None and ":" in args.workload:
        return spelled_out(args.workload, design)
    if not design.workloads:
        key = workload_key(workload_type(kind_of(design.params)))
        raise DesignError(
            f"{WORKLOAD} must be given, as '{key}: {{...}}': design {design.name} has no workloads"
        )
    names = design.workloads if args.workload is None else (args.workload,)
    if args.workload not in (None, *design.workloads):
        raise DesignError(not_among(WORKLOAD, args.workload, design.workloads))
    workloads = {name: design.workloads[name] for name in names}
    check_workloads(design.params, workloads, args.overrides)
    return workloads


def spelled_out(text: str, design: Design) -> Mapping[str, Workload]:
    """The workload of `KIND: {SIZES}`, as in a design file; the design must be able to run it."""
    item = parse(text, Place(source=f"{WORKLOAD} {text}", key="workload"))
    key, workload = read_workload(item)
    given = item.mapping((key, "name"))
    check_workload(design.params, workload, given[key])
    return {given["name"].name() if "name" in given else key: workload}


def gemm(text: str, design: Design) -> Gemm:
    """The GEMM of `M,K,N`, which the design must be able to run."""
    place = Place(source=f"--gemm {text}")
    sizes = text.split(",")
    if len(sizes) != 3:
        raise Place(source="--gemm").error(f"sizes must be M,K,N, not {text!r}")
    keys = ("m", "k", "n")
    nodes = {
        key: parse(size, Place(source=place.source, key=key))
        for key, size in zip(keys, sizes, strict=True)
    }
    node = Node(value=nodes, place=place)
    workload: Gemm = build(Gemm, node)
    check_workload(design.params, workload, node)
    return workload
