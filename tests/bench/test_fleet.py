from __future__ import annotations

from pathlib import Path

import pytest

from bench.fleet import HASTY_WAITS, figures, goals
from bench.fleet_release import BAD, BEFORE, GOOD, published
from bench.fleet_run import CONNECT, POLL, ROLLOUT, STOPPED, Gone, Part, Reach, go_through, reach
from bench.fleet_servers import BROKER, JOBS, WEB
from bench.fleet_tally import Tally
from bench.fleet_wire import Carried
from ota.job_messages import Status
from ota.rollout import Member, Progress


def part(tally: Tally, *, seconds: float = 20.0) -> Part:
    return Part(seconds=seconds, tally=tally, cpu_s={BROKER: 1.0, WEB: 2.0, JOBS: 3.0})


def gone(*, poll_bytes: int = 4_000, succeeded: int = 10, beyond: int = 0) -> Gone:
    parts = {
        POLL: part(Tally(boards=10, body_bytes=poll_bytes)),
        ROLLOUT: part(Tally(boards=10, ended={"SUCCEEDED": succeeded, "FAILED": 10 - succeeded})),
    }
    return Gone(boards=10, parts=parts, reach=Reach(first=1, beyond=beyond), broker_mb=3.0)


def test_a_fleet_that_all_went_well_with_meets_its_goals() -> None:
    assert all(goal.met for goal in goals(gone()))


@pytest.mark.parametrize(
    "missed",
    [
        pytest.param(gone(poll_bytes=5_010), id="a poll of 501 bytes"),
        pytest.param(gone(succeeded=9), id="a board without the good model"),
        pytest.param(gone(beyond=1), id="a board that was offered the bad one too soon"),
    ],
)
def test_what_went_wrong_misses_one_goal(missed: Gone) -> None:
    assert [goal.met for goal in goals(missed)].count(False) == 1


def test_figures_are_those_of_one_board_and_of_the_busiest_second() -> None:
    tally = Tally(
        boards=10,
        got=4,
        messages={7: 30, 8: 50},
        message_bytes=1_000,
        message_carried=Carried(1_500, 10),
        requests={8: 6},
        body_bytes=20_000,
        body_carried=Carried(21_000, 100),
    )

    assert figures(part(tally)) == (20.0, 4, 50, 6, 100.0, 202.0, 2_000.0, 2_620.0, 1.0, 2.0, 3.0)


def test_what_lies_beyond_the_first_cohort_that_has_boards_is_counted_if_it_was_offered() -> None:
    members = {
        "a": Member(cohort=1, status=Status.FAILED),
        "b": Member(cohort=1, status=Status.CANCELED),
        "c": Member(cohort=2, status=Status.QUEUED),
        "d": Member(cohort=3),
    }

    assert reach(Progress(members=members)) == Reach(first=2, beyond=1)


@pytest.mark.real
async def test_a_small_fleet_takes_the_good_model_and_not_the_bad_one(tmp_path: Path) -> None:
    repositories = published(tmp_path)
    (tmp_path / "fleet").mkdir()

    fleet = await go_through(20, tmp_path / "fleet", repositories, HASTY_WAITS, lambda _: None)

    assert list(fleet.parts) == [CONNECT, POLL, ROLLOUT, STOPPED]
    assert fleet.parts[ROLLOUT].tally.ended == {"SUCCEEDED": 20}
    bad = fleet.parts[STOPPED].tally
    assert bad.got == bad.ended["FAILED"] <= fleet.reach.first < 20
    assert all(goal.met for goal in goals(fleet))
    assert [repositories.examined[name].agreement == 1 for name in (BEFORE, GOOD, BAD)] == [True, True, False]
