"""What docs/fleet-scale.md says was measured is in the committed results."""

from __future__ import annotations

import re
from pathlib import Path

from bench.fleet import SIZES
from bench.fleet_run import CONNECT, POLL, ROLLOUT, STOPPED
from bench.results import load_all
from ota.rollout import Plan, cohort_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "fleet-scale.md").read_text(encoding="utf-8")
(RESULT,) = (one.result for one in load_all(ROOT / "bench" / "results") if one.result.name == "fleet")
ROWS = {row.label: dict(enumerate(row.values)) for row in RESULT.rows}
SECONDS, GOT, MESSAGES, REQUESTS, MESSAGE_B, MESSAGE_WIRE_B, BODY_B, BODY_WIRE_B, BROKER, WEB, JOBS = range(11)


def figures(part: str, column: int) -> list[float]:
    """For each size of a fleet."""
    return [ROWS[f"{size} boards: {part}"][column] or 0.0 for size in SIZES]


def said(row: str) -> list[float]:
    (cells,) = re.findall(rf"^\| {re.escape(row)} \|(.*)\|$", PAGE, re.MULTILINE)
    return [float(cell.replace(",", "")) for cell in cells.split("|")]


def test_the_table_of_fleets_is_that_of_the_results() -> None:
    for row, part, column, digits in (
        ("until all have the new model, s", ROLLOUT, SECONDS, 0),
        ("messages in the busiest second", ROLLOUT, MESSAGES, 0),
        ("requests in the busiest second", ROLLOUT, REQUESTS, 0),
        ("broker, processor s", ROLLOUT, BROKER, 2),
        ("web server, processor s", ROLLOUT, WEB, 2),
        ("jobs-server, processor s", ROLLOUT, JOBS, 2),
        ("boards that got the bad model", STOPPED, GOT, 0),
    ):
        measured = figures(part, column)
        assert all(
            abs(one - other) <= 0.051 * max(one, 10**-digits) for one, other in zip(said(row), measured, strict=True)
        )


def test_the_first_cohorts_of_the_bad_model_are_as_large_as_said() -> None:
    plan = Plan(rollout="bad")
    cohorts = [[cohort_of(f"duct-{number}", plan) for number in range(size)] for size in SIZES]

    assert said("of so many in its first cohort") == [of_fleet.count(min(of_fleet)) for of_fleet in cohorts]


def test_the_bytes_of_a_board_are_those_of_the_results() -> None:
    cells = re.findall(r"^\| (?:a |conn|keep).*\| ([\d.]+ k?B|) ?\| ([\d.]+ k?B) \|$", PAGE, re.MULTILINE)
    measured = [
        (figures(POLL, BODY_B)[-1], figures(POLL, BODY_WIRE_B)[-1]),
        (figures(CONNECT, MESSAGE_B)[-1], figures(CONNECT, MESSAGE_WIRE_B)[-1]),
        (figures(ROLLOUT, MESSAGE_B)[-1], figures(ROLLOUT, MESSAGE_WIRE_B)[-1]),
        (figures(ROLLOUT, BODY_B)[-1], figures(ROLLOUT, BODY_WIRE_B)[-1]),
        (0.0, figures(POLL, MESSAGE_WIRE_B)[-1]),
    ]

    assert len(cells) == len(measured)
    for told, found in zip(cells, measured, strict=True):
        assert all(
            in_bytes(one) == 0 or abs(in_bytes(one) / other - 1) < 0.07 for one, other in zip(told, found, strict=True)
        )


def in_bytes(text: str) -> float:
    number, _, unit = text.partition(" ")
    return float(number or 0) * (1_000 if unit == "kB" else 1)
