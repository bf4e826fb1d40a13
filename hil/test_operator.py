"""What an operator does at the board itself, by its own commands."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hil.ready import Ready
from hil.report import Report
from hil.rig.lines import Line
from hil.rig.peers import CAMERAS
from hil.rig.pictures import DIRTY
from hil.strategy import State

pytestmark = pytest.mark.lg_feature(["pictures", "broker", "lines"])
RAISED = [f"dirty_duct/{camera}" for camera in CAMERAS]


def ductwatch(ready: Ready, command: str) -> dict[str, Any]:
    """What the board's own program answers."""
    group, _, rest = command.partition(" ")
    answer: dict[str, Any] = json.loads(ready.board.run(f"ductwatch {group} --json {rest}"))
    return answer


def standing(ready: Ready) -> dict[str, dict[str, Any]]:
    """What the board lists of the alarms that are raised here: others may wait for somebody to have seen them."""
    named = {f"{alarm['rule']}/{alarm['source']}": alarm for alarm in ductwatch(ready, "alarms list")["alarms"]}
    return {name: alarm for name, alarm in named.items() if name in RAISED}


def raise_dirty(ready: Ready) -> None:
    mark = ready.mark()
    ready.bench.show(DIRTY)
    for camera in CAMERAS:
        ready.raise_dirty(camera, since=mark)


def test_an_alarm_is_shelved_told_again_seen_and_reset_at_the_board(ready: Ready) -> None:
    raise_dirty(ready)
    ready.bench.lines.until(Line.RELAY, True, 10)

    for name in RAISED:
        ductwatch(ready, f"alarms shelve {name} --for 1h --reason painting --by A")
    ready.bench.lines.until(Line.RELAY, False, 10)
    assert {name: alarm["withheld"] for name, alarm in standing(ready).items()} == {
        name: ["shelved"] for name in RAISED
    }

    ductwatch(ready, f"alarms unshelve {RAISED[0]} --by B")
    ready.bench.lines.until(Line.RELAY, True, 10)
    ductwatch(ready, f"alarms ack {RAISED[0]} --by C")
    assert standing(ready)[RAISED[0]]["state"] == "acknowledged"

    ductwatch(ready, f"alarms unshelve {RAISED[1]} --by B")
    ready.bench.restore()
    for _ in range(4):
        ready.snapshot("CLEAN")
    ductwatch(ready, "alarms reset --by D")
    ready.bench.lines.until(Line.RELAY, False, 10)
    of_first = [
        move for move in ductwatch(ready, "alarms history --limit 100")["moves"] if move["source"] == "upstream"
    ]
    assert [(move["event"], move["by"]) for move in of_first if move["by"] != "rule"][-4:] == [
        ("shelve", "A"),
        ("unshelve", "B"),
        ("acknowledge", "C"),
        ("reset", "D"),
    ]


def test_what_is_shelved_is_shelved_after_a_power_cut(ready: Ready) -> None:
    raise_dirty(ready)
    ductwatch(ready, f"alarms shelve {RAISED[0]} --for 1h --reason painting --by A")

    ready.machine.transition(State.off)
    ready.machine.transition(State.watching)

    shelf = standing(ready)[RAISED[0]]["shelf"]
    assert (shelf["reason"], shelf["by"]) == ("painting", "A")
    assert shelf["left_s"] < 3600


def test_a_cleaning_is_quiet_verified_by_the_cameras_and_reported(ready: Ready, report: Report) -> None:
    ductwatch(ready, "cleaning start --by A --reason yearly")
    ready.snapshot("CLEAN")
    mark = ready.mark()
    ready.bench.show(DIRTY)
    for _ in range(3):
        ready.snapshot("DIRTY")
    assert not ready.bench.lines.level(Line.RELAY)
    ready.bench.restore()
    ductwatch(ready, "cleaning finish --by A")

    ready.board.until(lambda: ductwatch(ready, "cleaning status")["state"] == "idle", "the end of the cleaning", 90)

    assert ductwatch(ready, "cleaning status")["last"]["event"] == "verify"
    page = ready.board.run("cat $(ductwatch cleaning report)")
    assert page.count("data:image/jpeg;base64,") == 2 * len(CAMERAS)
    report.figure("report of a cleaning, with four pictures", len(page) / 1024, "KiB")
    told = [message for message in ready.bench.messages.since(mark) if "/alarm/dirty_duct/" in message.topic]
    assert all(message.fields["withheld"] or not message.fields["active"] for message in told)
