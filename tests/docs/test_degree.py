"""What docs/degree.md shows is what the firmware does."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from drivers.types import Quantity
from firmware import config
from firmware.rules.parse import parse
from firmware.terminal import Colours, Style, paint
from firmware.wording import rows
from model.cleanliness import SUPPLY_DUCTS, classes
from model.types import Degree, Label, ModelId
from tests.builders import verdict

PATH = Path(__file__).parents[2] / "docs" / "degree.md"
PAGE = PATH.read_text(encoding="utf-8")
SETTINGS, RULE = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_of_a_verdict_is_what_a_technician_reads() -> None:
    degree = Degree(3.842, 2.4, 6.97)
    seen = verdict(Label.DIRTY, score=0.91, degree=degree, cleanliness=classes(degree, SUPPLY_DUCTS))
    by_ours = replace(seen, model=ModelId("ours", "1.0.0+cal2"))

    made = [paint(row, Colours.NONE) for row in rows(by_ours, ("   0:40  ", Style.DIM), 100, lambda _: "")]

    assert PAGE.split("```\n")[1].splitlines() == made


def test_the_limits_of_the_classes_are_those_that_a_board_has_without_settings() -> None:
    told = re.findall(r"\| `(\w+)` \| ([0-9.]+) g/m² \|", PAGE)

    assert {name: float(limit) for name, limit in told} == SUPPLY_DUCTS._asdict()
    assert config.parse(SETTINGS, PATH).degree.limits == SUPPLY_DUCTS


def test_the_example_of_a_rule_is_one() -> None:
    (rule,) = parse(RULE, "docs/degree.md")

    assert (rule.signal, rule.unit) == (Quantity.ESTIMATED_DEPOSIT.signal, "g/m2")
