"""A rollout on a terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from firmware.fleet.report import Report
from firmware.fleet.types import Ticket
from firmware.rollout_view import duration, overview, screenful, table
from firmware.terminal import Colours
from ota.job_messages import Status
from ota.rollout import Member, Phase, Progress
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


@pytest.mark.parametrize(
    ("status", "expected"),
    [(Status.FAILED, "reason no room, step refused"), (Status.IN_PROGRESS, "step refused, reason no room")],
)
def test_why_comes_first_of_a_board_that_failed_and_else_what_it_is_at(status: Status, expected: str) -> None:
    one = report(status)
    told = replace(one, tickets=[replace(one.tickets[0], details={"step": "refused", "reason": "no room"})])

    assert table(told, Colours.NONE)[-1].endswith(expected)


def test_on_a_terminal_a_reason_goes_on_in_the_next_line_and_none_of_it_is_lost() -> None:
    reason = "13 of 20 pictures were called the other way round than by the model that counts"

    lines = table(report(Status.FAILED, detail=reason), Colours.NONE, width=60)

    assert lines[4:] == [
        "  duct-0  failed       never seen  reason 13 of 20 pictures",
        "                                   were called the other way",
        "                                   round than by the model",
        "                                   that counts",
    ]


def test_what_is_cut_off_a_picture_that_is_drawn_over_is_marked() -> None:
    lines = screenful(report(Status.FAILED, detail="x" * 100), Colours.NONE, columns=60, rows=10)

    assert lines[-1] == f"  duct-0  failed       never seen  reason {'x' * 17}…"


@pytest.mark.parametrize(
    ("statuses", "words"),
    [
        ([Status.SUCCEEDED, Status.QUEUED, None], "a board that is silent has failed in 2 min at the earliest"),
        ([Status.SUCCEEDED, None], "the next cohort in 2 min at the earliest"),
        ([Status.SUCCEEDED], "all boards have answered: finished after the soak of the last, in 2 min"),
    ],
)
def test_what_comes_next_is_said(statuses: list[Status | None], words: str) -> None:
    assert table(report(*statuses), Colours.NONE)[1] == f"  {words}"


def test_that_nobody_serves_is_said_once_for_all_rollouts() -> None:
    running = replace(report(None), is_served=False)
    over = replace(running, rollout=replace(running.rollout, phase=Phase.FINISHED))

    assert len(overview([running, over, running], Colours.NONE)) == 4
    assert "run `ductwatch ota jobs-server`" in overview([running], Colours.NONE)[-1]
    assert len(overview([over], Colours.NONE)) == 1


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
