"""`ductwatch rules replay`, as whoever tunes rules uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from drivers.types import Quantity
from firmware.uplink.wire import WallClock, line
from tests.builders import reading
from tests.firmware.test_cli import ductwatch
from tests.firmware.test_rules_test import RULES

pytestmark = pytest.mark.real

WALL = WallClock(offset_ns=1_777_636_800 * 10**9, synchronised=True)


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    path = tmp_path / "recorded.jsonl"
    values = [20.0] * 5 + [45.0] * 5
    events = [
        reading(value, source="duct-gas", quantity=Quantity.TEMPERATURE, taken_s=60 * index)
        for index, value in enumerate(values)
    ]
    path.write_text("".join(line(event, WALL) + "\n" for event in events))
    (tmp_path / "rules.toml").write_text(RULES)
    return path


def test_alarms_are_counted_and_drawn(recorded: Path, tmp_path: Path) -> None:
    rules, report = str(tmp_path / "rules.toml"), tmp_path / "report"

    done = ductwatch("rules", "replay", rules, "--events", str(recorded), "--report", str(report))

    assert done.returncode == 0, done.stderr
    assert "10 events, 10 samples, from 2026-05-01 12:00:00 to 2026-05-01 12:09:00 UTC" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("warm/duct-gas")
    assert done.stdout.endswith("low       came     1 times, stood  44.4 % of the time\n")
    assert "<svg" in (report / "index.html").read_text()


def test_a_program_gets_every_move(recorded: Path, tmp_path: Path) -> None:
    done = ductwatch("rules", "replay", str(tmp_path / "rules.toml"), "--events", str(recorded), "--json")

    told = json.loads(done.stdout)
    assert [(move["time"], move["rule"], move["event"]) for move in told["moves"]] == [
        ("2026-05-01T12:05:00.000000Z", "warm", "raise")
    ]


def test_a_line_that_is_no_event_is_named_and_nothing_is_written(recorded: Path, tmp_path: Path) -> None:
    recorded.write_text(recorded.read_text() + "what?\n")

    done = ductwatch("rules", "replay", "--events", str(recorded), "--report", str(tmp_path / "report"))

    assert (done.returncode, done.stdout) == (2, "")
    assert f"{recorded}:11: not JSON" in done.stderr
    assert "`ductwatch run --events -`" in done.stderr
    assert not (tmp_path / "report").exists()


def test_a_line_without_end_is_not_read_into_memory(tmp_path: Path) -> None:
    (tmp_path / "endless").write_bytes(b"x" * 200_000)

    done = ductwatch("rules", "replay", "--events", str(tmp_path / "endless"))

    assert done.returncode == 2
    assert "endless:1: longer than 65536 bytes" in done.stderr
