"""A rollout on a terminal."""

from __future__ import annotations

from firmware.fleet.report import Report
from firmware.fleet.types import Ticket
from firmware.rollout_view import duration, overview, screenful, table
from firmware.terminal import Colours
from ota.job_messages import Status
from ota.rollout import Member, Progress
from tests.firmware.fleet.builders import rollout

STATUSES = [
    None,
    None,
    Status.QUEUED,
    Status.IN_PROGRESS,
    Status.SUCCEEDED,
    Status.SUCCEEDED,
    Status.FAILED,
    Status.CANCELED,
]


def report(*statuses: Status | None, detail: str = "") -> Report:
    started = rollout(percents=[10, 100])
    members = {f"duct-{number}": Member(cohort=1, status=status) for number, status in enumerate(statuses)}
    tickets = [
        Ticket(rollout="r1", board=board, document=b"", member=member, details={"reason": detail} if detail else {})
        for board, member in members.items()
        if member.status is not None
    ]
    return Report(
        rollout=started,
        progress=Progress(members=members),
        tickets=tickets,
        availability={},
        is_served=True,
        wait_s=125.0,
    )


def test_a_bar_shows_each_kind_and_is_as_long_for_each_cohort() -> None:
    lines = table(report(*STATUSES), Colours.NONE)
    counts = "8 boards, 2 succeeded, 1 failed, 1 in progress, 1 queued, 1 withdrawn, 2 waiting"

    assert lines[:4] == [
        f"r1  running  visual-clean 12 of stable: {counts}",
        "  a board that is silent has failed in 2 min at the earliest",
        "  1. to  10 %                            no board",
        f"  2. to 100 %  ██████xxx▒▒▒░░░---······  {counts}",
    ]
    assert lines[4:] == ["  duct-6  failed       never seen", "  duct-3  in progress  never seen"]


def test_many_failures_do_not_push_the_bars_off_the_terminal() -> None:
    lines = table(report(*[Status.FAILED] * 100), Colours.NONE)

    assert len(lines) == 4 + 20 + 1
    assert lines[-1] == "  and 80 more: --all shows each board"
    assert len(table(report(*[Status.FAILED] * 100), Colours.NONE, most=None)) == 4 + 100


def test_what_is_drawn_over_fits_the_terminal() -> None:
    one = report(*[Status.FAILED] * 100, detail="x" * 100)

    lines = screenful(one, Colours.NONE, columns=40, rows=10)

    assert len(lines) < 10
    assert max(map(len, lines)) <= 40
    assert lines[-1] == "  and 97 more: --all shows each board"
    assert len(screenful(one, Colours.NONE, columns=40, rows=3)) == 2


def test_what_a_board_says_moves_no_cursor() -> None:
    lines = table(report(Status.FAILED, detail="\x1b[2Jgone" + "x" * 500), Colours.TRUE)

    assert not any("\x1b[2J" in line for line in lines)
    assert max(map(len, lines)) < 200


def test_all_rollouts_are_a_line_each() -> None:
    assert len(overview([report(), report()], Colours.NONE)) == 2
    assert overview([], Colours.NONE) == ["No rollout was started."]


def test_durations_are_for_people() -> None:
    assert [duration(seconds) for seconds in (0, 59, 61, 3600, 90_000)] == [
        "0 s",
        "59 s",
        "1 min",
        "1 h 0 min",
        "25 h 0 min",
    ]
