"""Folding for timing: far fewer cells, and the critical path of the whole."""

import shutil

import pytest
from tiny_library import tiny

from hwgen.synth import synthesise, timing
from hwgen.synth.fold import UnfoldableError, folded
from hwgen.synth.liberty import Library
from hwgen.synth.netlist import Instance, Mapped, Module
from hwgen.synth.placed import place

needs_sta = pytest.mark.skipif(shutil.which("sta") is None, reason="sta must be on PATH")

ELEMENT = """
module element(input clk, input en, input [2:0] a, b, output reg [2:0] ao, output reg [5:0] acc,
               input c, output co);
  wire [5:0] sum = acc + a * b;
  assign co = c ^ (ao[0] & b[2]);
  always @(posedge clk) if (en) begin ao <= a; acc <= sum ^ {6{c}}; end
endmodule
"""


def array(count: int, *, chain: int = 0) -> str:
    """Elements in a row, with a path through each `chain` of them."""

    def carry(n: int) -> str:
        return f"c[{n}]" if chain and n % chain else "x"

    cells = "".join(
        f"  element e{n}(clk, en, a[{n}], b, a[{n + 1}], acc[{n}], {carry(n)}, c[{n + 1}]);\n"
        for n in range(count)
    )
    return (
        f"{ELEMENT}module top(input clk, en, x, input [2:0] i, b, output [5:0] o, output y);\n"
        f"  wire [2:0] a[0:{count}]; wire [5:0] acc[0:{count - 1}]; wire [{count}:0] c;\n"
        f"  assign a[0] = i; assign o = acc[{count - 1}];\n"
        f"  assign y = c[{count}] ^ a[1][0];\n{cells}endmodule\n"
    )


@pytest.fixture(scope="module")
def library() -> Library:
    return tiny()


def cell_count(mapped: Mapped) -> int:
    counts = mapped.instance_counts
    return sum(
        counts[name]
        for name, module in mapped.modules.items()
        for cell in module.cells.values()
        if cell.kind not in mapped.modules
    )


@needs_sta
@pytest.mark.parametrize("chain", [0, 3, 100])
@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_the_critical_path_is_that_of_the_whole(
    library: Library, count: int, chain: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    mapped = synthesise(array(count, chain=chain), "top", library).mapped
    whole = timing.analyse(mapped, library, {}, 60)
    monkeypatch.setattr(timing, "FOLD_FROM", 0)
    small = timing.analyse(mapped, library, {}, 60)
    assert small.delay_ps == pytest.approx(whole.delay_ps, rel=1e-5) and small.delay_ps > 0
    assert [step.cell for step in small.steps] == [step.cell for step in whole.steps]
    if not chain:  # of equal paths either may be reported
        assert small.end.split("/")[1:] == whole.end.split("/")[1:]


SLOW_NEIGHBOUR = ("b, a[21], acc[20],", "b ^ {3{^acc[7]}}, a[21], acc[20],")
LOADED = ("assign y =", "assign y = ^({9{a[20]}} & {b, acc[3], acc[5], acc[9], acc[11]}) ^")
SLOW_CHAIN = ("acc[20], x,", "acc[20], ^(acc[7] * acc[9]),")


@needs_sta
@pytest.mark.parametrize(
    ("chain", "change", "end"),
    [(0, SLOW_NEIGHBOUR, "e20/"), (0, LOADED, "e20/"), (4, SLOW_CHAIN, "e23/")],
    ids=["other logic before it", "more load on what drives it", "far behind other logic"],
)
def test_the_one_element_of_forty_that_differs_is_timed(
    library: Library,
    chain: int,
    change: tuple[str, str],
    end: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = array(40, chain=chain)
    assert change[0] in text
    mapped = synthesise(text.replace(*change), "top", library).mapped
    whole = timing.analyse(mapped, library, {}, 60)
    monkeypatch.setattr(timing, "FOLD_FROM", 0)
    small = timing.analyse(mapped, library, {}, 60)
    assert small.delay_ps == pytest.approx(whole.delay_ps, rel=1e-5)
    assert (small.start, small.end) == (whole.start, whole.end)
    assert small.end.startswith(end)


def test_alike_elements_are_timed_once(library: Library) -> None:
    small, large = (synthesise(array(count), "top", library).mapped for count in (20, 60))
    sizes = [cell_count(folded(mapped, library, "clk")) for mapped in (small, large)]
    assert cell_count(large) > 2.5 * cell_count(small)
    # What grows is what shared nets drive in every element.
    assert sizes[1] - sizes[0] < 0.4 * (cell_count(large) - cell_count(small))


def test_what_is_kept_is_the_same_each_time(library: Library) -> None:
    mapped = synthesise(array(7, chain=100), "top", library).mapped
    assert folded(mapped, library, "clk") == folded(mapped, library, "clk")


def test_a_loop_and_a_gated_clock_are_timed_whole(library: Library) -> None:
    loop = {
        "x": Instance("xor2_1", {"A": (2,), "B": (4,), "Y": (3,)}),
        "l": Instance("leaf", {"a": (3,), "y": (4,)}),
    }
    leaf = {"i": Instance("inv_1", {"A": (2,), "Y": (3,)})}
    modules = {
        "top": Module("top", {"a": (2,), "clk": (9,)}, {"y": (4,)}, loop),
        "leaf": Module("leaf", {"a": (2,)}, {"y": (3,)}, leaf),
    }
    with pytest.raises(UnfoldableError, match="loop without a register"):
        folded(Mapped("top", modules), library, "clk")
    gated = {
        "l": Instance("leaf", {"a": (9,), "y": (3,)}),
        "s": Instance("store", {"c": (3,), "d": (2,), "q": (4,)}),
    }
    store = {"r": Instance("dff_1", {"CK": (2,), "D": (3,), "Q": (4,)})}
    modules["top"] = Module("top", {"a": (2,), "clk": (9,)}, {"y": (4,)}, gated)
    modules["store"] = Module("store", {"c": (2,), "d": (3,)}, {"q": (4,)}, store)
    with pytest.raises(UnfoldableError, match="s/ has a clock that is no port"):
        folded(Mapped("top", modules), library, "clk")


def test_nets_run_through_modules_without_gates() -> None:
    """A feed-through, a constant, and a port that nothing inside uses."""
    leaf = Module("leaf", {"a": (2,), "b": (4,)}, {"y": (3,)}, {
        "i": Instance("inv_1", {"A": (2,), "Y": (3,)})})  # fmt: skip
    through = Module("through", {"a": (2,), "n": (5,)}, {"y": (2,), "z": ("1",)}, {})
    top = Module("top", {"a": (2,), "n": (7,)}, {"y": (6,)}, {
        "t": Instance("through", {"a": (2,), "n": (7,), "y": (3,), "z": (4,)}),
        "l0": Instance("leaf", {"a": (3,), "b": (2,), "y": (6,)}),
        "l1": Instance("leaf", {"a": (4,), "b": (2,), "y": (8,)})})  # fmt: skip
    placed = place(Mapped("top", {"top": top, "leaf": leaf, "through": through}))
    first, second = placed.nodes
    assert (first.path, second.path) == ("l0/", "l1/")
    assert first.nets[2] == placed.inputs["a", 0] and first.nets[3] == placed.outputs["y", 0]
    assert placed.constants[second.nets[2]] == "1"
