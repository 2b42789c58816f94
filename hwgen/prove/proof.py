"""The lemmas of a design, one after the other."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from hwgen.arith import CompressorTree, DigitEncoder, PartialProduct, Resolve, SparseSelect
from hwgen.component import Component
from hwgen.emit import Hierarchy
from hwgen.prove import lemmas, running, trees
from hwgen.prove.emission import emission
from hwgen.prove.gates import UnknownNetError
from hwgen.prove.lemmas import DisprovedError
from hwgen.prove.survey import Module, Part, modules
from hwgen.systolic.resolve import Resolve as ResolveByTree


@dataclass(frozen=True, slots=True)
class Lemma:
    """A claim about every part of a kind, and how it is proven."""

    name: str
    kind: type[Component]
    prove: Callable[[Module, Part], str]
    method: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a lemma holds of one part of one module; `claim` says what, or why not."""

    lemma: str
    module: str
    part: str
    method: str
    seconds: float
    holds: bool
    claim: str


CASES = "all cases"
WEIGHTS = "weights"
GRAPH = "graph"
EQUIVALENCE = "equivalence"

LEMMAS = (
    Lemma("encoder", DigitEncoder, lemmas.encoder, CASES),
    Lemma("partial product", PartialProduct, lemmas.partial_product, CASES),
    Lemma("select", SparseSelect, lemmas.select, CASES),
    Lemma("adders", CompressorTree, trees.adders, CASES),
    Lemma("tree", CompressorTree, trees.composition, WEIGHTS),
    Lemma("products", CompressorTree, trees.products, CASES),
    Lemma("running sum", CompressorTree, running.induction, CASES),
    Lemma("locality", CompressorTree, running.locality, GRAPH),
    Lemma("carry", CompressorTree, trees.carry, GRAPH),
    Lemma("resolve", Resolve, trees.resolve, GRAPH),
    Lemma("resolve", ResolveByTree, trees.resolve_by_tree, GRAPH),
)
"""In an order in which each lemma needs only those before it. A method is

all cases: of the signals that the part takes, by evaluating the gates between them and its own.
weights: each adder keeps the weight of its bits; what is left of the operands is the result.
graph: which nets are, or depend on, which others.
equivalence: by Yosys, of a module's Verilog with the gates that all of this is about.
"""


def prove(component: Component, name: str, *, verilog: bool = False) -> Iterator[Verdict]:
    """Prove every lemma of every part of a design.

    With `verilog` also that each module's Verilog is the gates that the lemmas are about, which
    takes seconds for a module of one product, and minutes for one of sixteen.
    """
    hierarchy = Hierarchy(name)
    hierarchy.add(component, name)
    written = hierarchy.verilog() if verilog else ""
    for module in surveyed(hierarchy):
        yield from verdicts(module)
        if verilog:
            yield judge("verilog", module, "", EQUIVALENCE, partial(emission, module, written))


def surveyed(hierarchy: Hierarchy) -> Iterator[Module]:
    """The modules of a design that any lemma is about."""
    return modules(hierarchy, tuple({lemma.kind for lemma in LEMMAS}))


def verdicts(module: Module) -> Iterator[Verdict]:
    """Of all lemmas about the parts of a module; one that says nothing of a part gives none."""
    for lemma in LEMMAS:
        for part in module.parts:
            if isinstance(part.component, lemma.kind):
                proof = partial(lemma.prove, module, part)
                verdict = judge(lemma.name, module, part.path, lemma.method, proof)
                if verdict.claim:
                    yield verdict


def judge(name: str, module: Module, part: str, method: str, prove: Callable[[], str]) -> Verdict:
    """Try to prove one lemma."""
    started_s = time.perf_counter()
    try:
        claim, holds = prove(), True
    except (DisprovedError, UnknownNetError) as error:
        claim, holds = str(error), False
    return Verdict(
        lemma=name,
        module=module.name,
        part=part,
        method=method,
        seconds=time.perf_counter() - started_s,
        holds=holds,
        claim=claim,
    )
