"""`hwgen passes`: how often a cascade of Einsums must go over a rank, and what that costs."""

import re
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path

from archmodels import cascade as model
from archmodels.cascade.operations import axes
from designs import DesignError
from designs.cascade import REWRITES, Cascade, Einsum, Extents, load
from designs.document import not_among
from designs.rules import RuleError
from dse import arguments
from dse.arguments import Commands
from dse.cascade_text import folds, when
from dse.files import output_folder, whole
from dse.text import Outcome, table

PICTURES = (".png", ".svg")
REWRITINGS = tuple(REWRITES)
SIZE = re.compile(r"([a-z][a-z0-9_]*)=([1-9][0-9]{0,9})")


def add(commands: Commands) -> None:
    """Add passes to the command line."""
    counting = arguments.command(
        commands, "passes", run, "how often a cascade of Einsums goes over a rank",
        ["hwgen passes one_pass --sizes m=4096,m0=256,p=256,e=64,f=64",
         "hwgen passes three_pass --rewrite defer-division --rewrite iterative-max",
         "hwgen passes two_pass --plot build/two_pass.png",
         "docs/cascades.md says what a pass is, and how a cascade is written"],
    )  # fmt: skip
    counting.add_argument("cascade", metavar="CASCADE", help="shipped cascade or YAML file")
    counting.add_argument("--rank", metavar="R",
                          help="rank or family to count over (default: as it states)")  # fmt: skip
    counting.add_argument("--sizes", metavar="R=N,...",
                          help="sizes of all families and tiles, to count operations")  # fmt: skip
    counting.add_argument("--rewrite", action="append", default=[], choices=REWRITINGS,
                          help="rewrite first, in the order given")  # fmt: skip
    counting.add_argument("--plot", metavar="FILE", help="draw the graph: a .png or .svg file")


def run(args: Namespace) -> Outcome:
    """The passes of CASCADE, rewritten if asked for, with its operations and what must be live."""
    cascade = load(args.cascade)
    family = _family(cascade, args.rank)
    for name in args.rewrite:
        try:
            cascade = REWRITES[name](cascade, family)
        except RuleError as error:
            raise DesignError(f"--rewrite {name}: {error}") from error
    try:
        found = model.analyse(cascade, family)
    except RuleError as error:
        raise DesignError(f"{args.cascade}: {error}") from error
    extents = _extents(cascade, args.sizes)
    counts = _operations(args.cascade, cascade, extents)
    files = [_draw(cascade, found, Path(args.plot))] if args.plot else []
    expected = dict(cascade.passes).get(family)
    content = _content(cascade, found, extents, counts)
    content |= {"rewrites": args.rewrite, "expected_passes": expected, "files": files}
    failure = "" if expected in (None, found.count) else _disagreement(cascade, found, expected)
    text = [_head(cascade, family, found), *_text(cascade, found, counts), *_lives(content)]
    return Outcome(content=content, text="\n".join([*text, *files]), failure=failure)


def _content(
    cascade: Cascade,
    found: model.Passes,
    extents: Extents | None,
    counts: Mapping[str, Mapping[str, object]],
) -> dict[str, object]:
    """What was found of a cascade, for the JSON object."""
    family = cascade.family_of(found.ranks[0])
    tiles = model.tile_held(cascade, family)
    return {
        "cascade": cascade.name,
        "source": cascade.source,
        "rank": family,
        "ranks": [*found.ranks],
        "passes": found.count,
        "einsums": [
            {
                "einsum": str(one),
                "tensor": one.output.tensor,
                "pass": found.numbers.get(one.output.tensor),
                "label": str(found.labels[one.output.tensor]),
                "operations": counts.get(one.output.tensor),
            }
            for one in found.einsums
        ],
        "operations": None if extents is None else model.total_operations(cascade, extents),
        "live": _live(cascade, model.held(cascade, family), extents),
        "tiles": [
            {"pass": number, "passes": inside.count} | _live(cascade, tiles[number], extents)
            for number, inside in model.tile_passes(cascade, family).items()
        ],
    }


def _family(cascade: Cascade, rank: str | None) -> str:
    """The family to analyse: `--rank`, else the first of those whose passes the file states."""
    if rank is None:
        if not cascade.passes:
            raise DesignError(
                f"--rank must be given, one of {', '.join(cascade.families)}, for {cascade.name} "
                "states no passes"
            )
        return cascade.passes[0][0]
    if rank not in cascade.families:
        raise DesignError(not_among("--rank", rank, cascade.families))
    return rank


def _extents(cascade: Cascade, text: str | None) -> Extents | None:
    """The sizes of `--sizes`, if there are any."""
    if text is None:
        return None
    sizes: dict[str, int] = {}
    for part in text.split(","):
        match = SIZE.fullmatch(part.strip())
        if not match or match[1] in sizes:
            rule = "RANK=SIZE,... with each rank once and sizes above 0"
            raise DesignError(f"--sizes must be {rule}, not {text}")
        sizes[match[1]] = int(match[2])
    try:
        return Extents(cascade=cascade, sizes=sizes)
    except RuleError as error:
        raise DesignError(f"--sizes: {error}") from error


def _operations(
    source: str, cascade: Cascade, extents: Extents | None
) -> Mapping[str, Mapping[str, object]]:
    """Tensor to its operations by kind; none without sizes."""
    if extents is None:
        return {}
    try:
        return model.operations(cascade, extents)
    except RuleError as error:
        raise DesignError(f"{source}: {error}") from error


def _live(
    cascade: Cascade, found: Sequence[model.Held], extents: Extents | None
) -> dict[str, object]:
    return {
        "live_symbol": model.live_symbol(found, cascade),
        "live_elements": None if extents is None else model.live_elements(found, extents),
        "live_tensors": [one.tensor for one in found],
    }


def _draw(cascade: Cascade, found: model.Passes, path: Path) -> str:
    from dse.cascade_plot import draw

    if path.suffix not in PICTURES:
        raise DesignError(f"--plot must be a file that ends in {' or '.join(PICTURES)}, not {path}")
    output_folder(path.parent, "--plot")
    with whole(path) as partial:
        draw(cascade, found, partial)
    return str(path)


def _disagreement(cascade: Cascade, found: model.Passes, expected: int | None) -> str:
    return f"passes of {cascade.name} must be {expected}, as it states, not {found.count}"


def _head(cascade: Cascade, family: str, found: model.Passes) -> str:
    plural = "pass" if found.count == 1 else "passes"
    over = family if len(found.ranks) == 1 else f"{family} = {', '.join(found.ranks)}"
    source = f"\n{cascade.source}" if cascade.source else ""
    return f"{cascade.name}: {found.count} {plural} over {over}{source}"


def _text(
    cascade: Cascade, found: model.Passes, counts: Mapping[str, Mapping[str, object]]
) -> list[str]:
    rows = [("pass", "einsum", "fold", "label", "operations")]
    for one in found.einsums:
        tensor = one.output.tensor
        told = counts.get(tensor)
        rows.append(
            (
                when(cascade, found, one),
                str(one),
                folds(one),
                str(found.labels[tensor]),
                _told(told) if told is not None else _symbolic(cascade, one),
            )
        )
    return [table(rows)]


def _symbolic(cascade: Cascade, one: Einsum) -> str:
    kinds = [*one.operators, *([one.function] if one.function else [])]
    kinds += [item.operator for item in one.reductions]
    points = " ".join(axis.upper() for axis in axes(cascade, one.ranks)) or "1"
    return f"{points}: {', '.join(dict.fromkeys(kinds))}" if kinds else ""


def _told(counts: Mapping[str, object]) -> str:
    return ", ".join(f"{count:,} {kind}" for kind, count in counts.items())


def _lives(content: Mapping[str, object]) -> list[str]:
    """The lines below the table."""
    rows = [("live", _needs(content["live"]))]
    for tile in _mappings(content["tiles"]):
        plural = "pass" if tile["passes"] == 1 else "passes"
        text = f"{tile['passes']} {plural} over it, {_needs(tile)}"
        rows.append((f"tile, pass {tile['pass']}", text))
    if isinstance(content["operations"], dict):
        rows.append(("operations", _told(content["operations"])))
    return [table(rows)]


def _mappings(value: object) -> list[Mapping[str, object]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _needs(live: object) -> str:
    (told,) = _mappings([live])
    tensors = told["live_tensors"]
    if not isinstance(tensors, list) or not tensors:
        return "nothing that grows with it"
    number = told["live_elements"]
    elements = f" = {number:,}" if isinstance(number, int) else ""
    return f"at least {told['live_symbol']}{elements} elements: {', '.join(tensors)}"
