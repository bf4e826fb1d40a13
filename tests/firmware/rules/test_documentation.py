"""What docs/rules.md shows is what the firmware does."""

from __future__ import annotations

import re
from argparse import Namespace
from pathlib import Path

from drivers.types import Quantity
from firmware import rules_test
from firmware.alarms.states import ACTIVE, UNSEEN, AlarmState
from firmware.plan import DEFAULT_RULES
from firmware.rules.parse import KEYS, parse

PAGE = (Path(__file__).parents[3] / "docs" / "rules.md").read_text(encoding="utf-8")

EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


def rows(heading: str) -> list[list[str]]:
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def names(cell: str) -> list[str]:
    return re.findall(r"`([a-z0-9_]+)`", cell)


def test_the_examples_are_rules() -> None:
    assert [rule.name for text in EXAMPLES[:2] for rule in parse(text, "docs/rules.md")] == ["pm2_5_high", "damp_dust"]


def test_the_example_of_a_test_passes(tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_bytes(DEFAULT_RULES.read_bytes())
    (tmp_path / "test.toml").write_text(EXAMPLES[2])

    assert rules_test.main(Namespace(files=[tmp_path / "test.toml"], rules=None, json=False)) == 0


def test_every_key_is_explained() -> None:
    assert {name for row in rows("A rule") for name in names(row[0])} == set(KEYS)


def test_every_signal_is_listed() -> None:
    assert {name for row in rows("Signals and their units") for name in names(row[0])} == {
        quantity.signal for quantity in Quantity
    }


def test_the_table_of_states_tells_what_outputs_do() -> None:
    told = {AlarmState(names(row[0])[0]): (row[3], row[4]) for row in rows("The life of an alarm")}

    assert told == {
        state: ("on" if state in ACTIVE else "off", "on" if state in UNSEEN else "off") for state in AlarmState
    }
