"""The page of serving has the tables that were made, and these are of commands that exist."""

import json
import re

from archmodels.npu_pim.append import cheapest_tokens
from benchmarks import serving
from benchmarks.tables import RESULTS
from designs.npu_pim import PimChannel, llm
from dse.cli import parser
from dse.serving import asked


def test_the_page_has_the_tables() -> None:
    made = (RESULTS / "serving.md").read_text()
    found = re.findall(
        r"<!-- benchmarks/results/serving\.md -->\n\n((?:\|.*\n)+)", serving.PAGE.read_text()
    )
    assert len(found) == 3 and all(table in made for table in found)


def test_appending_as_it_is_today() -> None:
    tables = json.loads((RESULTS / "serving.json").read_text())["tables"]
    cycles = {row["N"]: row["cycles of a token in its channel"] for row in tables[1]["rows"]}
    assert cycles == {tokens: serving.append_cycles(tokens) for tokens in serving.APPENDED}
    best = cheapest_tokens(PimChannel(), llm("gpt3_7b").shard)
    assert cycles[best] == min(taken for tokens, taken in cycles.items() if tokens)


def test_every_row_is_a_command() -> None:
    rows = [f"{serving.AT_ONCE} {line}" for line in serving.SYSTEMS]
    rows += [f"{serving.COMING} --prefill {tokens}" for tokens in serving.PREFILLED]
    for line in rows:
        assert len(asked(parser().parse_args(["serve", *line.split()])).requests) == 500
