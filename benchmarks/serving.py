"""`hwgen serve` on the same requests in many ways: `python -m benchmarks.serving`.

Every row is a command line: `hwgen serve` with the options of its table and of its row.
"""

import shlex
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from archmodels import technology
from archmodels.npu_pim.append import token_cycles
from archmodels.npu_pim.serving import Serving, serve
from benchmarks.tables import RESULTS, Row, Table, publish, refresh
from designs.npu_pim import PimChannel, llm
from dse.cli import parser
from dse.serving import asked, figures
from dse.serving_plot import draw

PAGE = Path(__file__).parent.parent / "docs" / "npu_pim_serving.md"
TECHNOLOGY = "asap7"
AT_ONCE = "gpt3_7b --dataset sharegpt --requests 500"
COMING = f"{AT_ONCE} --rate 30"
PICTURE = f"{COMING} --prefill 128"
SYSTEMS = (
    "--system neupims",
    "",
    "--set link_bytes_per_s=0",
    "--interleave never",
    "--interleave always",
    "--packing rotation",
    "--split balanced",
    "--set channel.precharge=channel",
    "--system blocked",
)
APPENDED = (0, 1, 8)
PREFILLED = (0, 128)


@cache
def run(line: str) -> tuple[dict[str, object], Serving]:
    """What a command line finds, as `--json` says it, and all that came of it."""
    want = asked(parser().parse_args(["serve", *shlex.split(line)]))
    found = serve(want.device, want.model, want.requests, want.policy)
    return figures(want, found, technology.load(TECHNOLOGY)), found


def tables() -> list[Table]:
    """Systems, schedules and packings; appending; prompts that ride."""
    return [
        Table(
            caption=f"`hwgen serve {AT_ONCE} --tech {TECHNOLOGY}` with each row's options: "
            "machines and schedules.",
            rows=[_system(line) for line in SYSTEMS],
        ),
        Table(
            caption="The same with `--append N`: what writing keys and values takes.",
            rows=[_append(tokens) for tokens in APPENDED],
        ),
        Table(
            caption=f"`hwgen serve {COMING}` with `--prefill N`: prompts elsewhere, or in chunks.",
            rows=[_prefill(tokens) for tokens in PREFILLED],
        ),
    ]


def _system(line: str) -> Row:
    found, _ = run(f"{AT_ONCE} {line}")
    busy = found["utilisation"]
    assert isinstance(busy, dict)
    return {
        "options": f"`{line}`" if line else "-",
        **_numbers(found, ("tokens_per_s", "batch_mean")),
        "interleaved": f"{found['interleaved_iterations']} of {found['iterations']}",
        **_numbers(found, ("between_tokens_mean_ms", "between_tokens_p99_ms")),
        **{
            key.replace("_", " ") + " [%]": 100 * busy[key]
            for key in ("array_busy", "channel_busy", "bus")
        },
        "memory [mJ/token]": _number(found["memory_energy_pj_per_token"]) / 1e9,
        "device [mJ/token]": _number(found["device_energy_pj_per_token"]) / 1e9,
    }


def append_cycles(tokens: int) -> float:
    """Of a token of one request in its channel, in one layer."""
    return token_cycles(PimChannel(), llm("gpt3_7b").shard, tokens) if tokens else 0.0


def _append(tokens: int) -> Row:
    found, _ = run(f"{AT_ONCE} --append {tokens}")
    names = ("tokens_per_s", "between_tokens_mean_ms")
    energy = _number(found["memory_energy_pj_per_token"]) / 1e9
    return {
        "N": tokens,
        "cycles of a token in its channel": append_cycles(tokens),
        **_numbers(found, names),
        "memory [mJ/token]": energy,
    }


def _prefill(tokens: int) -> Row:
    found, _ = run(f"{COMING} --prefill {tokens}")
    firsts = ("first_token_mean_ms", "first_token_p99_ms")
    row: Row = {"N": tokens, **_numbers(found, ("tokens_per_s",))}
    row |= _numbers(found, firsts) if tokens else {_title(name): "elsewhere" for name in firsts}
    names = ("between_tokens_mean_ms", "between_tokens_p99_ms", "latency_mean_ms")
    return row | _numbers(found, names)


def _numbers(found: dict[str, object], names: Iterable[str]) -> Row:
    return {_title(name): _number(found[name]) for name in names}


def _title(name: str) -> str:
    if name == "tokens_per_s":
        return "tokens/s"
    label, is_time, _ = name.partition("_ms")
    return label.replace("_", " ") + (" [ms]" if is_time else "")


def _number(value: object) -> float:
    assert isinstance(value, int | float)
    return float(value)


def main() -> None:
    """Write the tables, the page's copies and the picture."""
    found = tables()
    publish("serving", found)
    refresh(PAGE, "serving", found)
    _, answers = run(PICTURE)
    draw(answers, 10**9, f"hwgen serve {PICTURE}", RESULTS / "serving.png")


if __name__ == "__main__":
    main()
