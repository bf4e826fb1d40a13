"""What docs/expressions.md shows is what the language does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from drivers.types import SourceId
from firmware.rules.expression.compile import compile_rule
from firmware.rules.expression.errors import BadExpression
from firmware.rules.expression.parse import LONGEST_NS, MAX_HEIGHT, MAX_NODES, MAX_WINDOWS, SHORTEST_NS
from firmware.rules.expression.tokens import MAX_TEXT
from firmware.rules.expression.windows import BUCKETS, Function
from tests.firmware.rules.builders import ns

PAGE = (Path(__file__).parents[4] / "docs" / "expressions.md").read_text(encoding="utf-8")
VALUES = {"true": 4.0, "false": 2.0, "unknown": None}
ANSWERS = {"true": True, "false": False, "unknown": None}


def rows(heading: str) -> list[list[str]]:
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0].replace("||", "OR")
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip().replace("OR", "||") for cell in line.strip("|").split("|")] for line in lines][1:]


EXAMPLES = re.findall(r"```cel\n(.*?)```", PAGE, re.DOTALL)[0].splitlines()


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_accepted(example: str) -> None:
    compile_rule(example, sources={SourceId("duct-supply")})


@pytest.mark.parametrize(("written", "told"), rows("What is refused"))
def test_every_refusal_is_told_so(written: str, told: str) -> None:
    with pytest.raises(BadExpression) as refused:
        compile_rule(written.strip("`"))

    assert str(refused.value) == told


def test_the_table_of_three_values_is_complete_and_true() -> None:
    table = rows("Three values")
    assert len({(row[0], row[1]) for row in table}) == len(table) == 9

    for a, b, *told in table:
        for said, answer in zip(["a && b", "a || b", "!a", "a == b"], told, strict=True):
            text = said.replace("a", "(pm1 > 3.0)").replace("b", "(pm10 > 3.0)")
            condition = compile_rule(text)
            given = {"pm1": VALUES[a], "pm10": VALUES[b]}
            assert condition.ask([given[ref.signal] for ref in condition.signals]) is ANSWERS[answer], (a, b, said)


def test_every_function_is_explained() -> None:
    named = [name for row in rows("Windows") for name in re.findall(r"`(\w+)`", row[0])]

    assert sorted(named) == sorted(function.value for function in Function)


def test_the_bounds_are_those_of_the_parser() -> None:
    assert f"at most {MAX_TEXT} characters, {MAX_NODES} names, numbers and signs, {MAX_WINDOWS} windows" in PAGE
    assert f"nested {MAX_HEIGHT} deep at most" in PAGE
    assert ns(1) == SHORTEST_NS
    assert ns(31 * 86_400) == LONGEST_NS
    assert "from 1s to 31d long" in PAGE
    assert f"a {BUCKETS}th of the duration" in PAGE
