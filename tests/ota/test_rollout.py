"""Which boards are offered a job when: by table, at the edges where others have had faults, and by random fleets."""

from __future__ import annotations

import random
from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ota.job_messages import BOARD_MAY, Status
from ota.rollout import (
    FAILURES,
    Abort,
    Action,
    Expire,
    Finish,
    Offer,
    Phase,
    Plan,
    Progress,
    Step,
    WaitUntil,
    Withdraw,
    apply,
    cohort_of,
    decide,
    join,
    note,
    place,
    step,
    totals,
)

FLEET = tuple(f"duct-{number:03}" for number in range(100))
HOUR_S = 3600.0


def plan(**further: object) -> Plan:
    return msgspec.convert(
        {"rollout": "r1", "percents": [10, 100], "soak_s": HOUR_S, "deadline_s": 24 * HOUR_S, "min_results": 5}
        | further,
        Plan,
    )


def begun(of: Plan, boards: Iterable[str] = FLEET) -> Progress:
    return join(of, Progress(), boards)


def advanced(of: Plan, progress: Progress, now_s: float) -> tuple[Progress, tuple[Action, ...]]:
    actions = decide(of, progress, now_s)
    return apply(progress, actions, now_s), actions


def all_report(progress: Progress, status: Status, now_s: float) -> Progress:
    for board, member in progress.members.items():
        if member.is_open:
            progress = note(progress, board, status, now_s)
    return progress


def offered(actions: Iterable[Action]) -> tuple[str, ...]:
    return tuple(board for action in actions if isinstance(action, Offer) for board in action.boards)


def test_a_board_is_not_the_first_in_each_rollout_and_cohorts_are_about_as_large_as_asked() -> None:
    boards = [f"duct-{number}" for number in range(20_000)]

    assert 9.0 < 100 * sum(place(board, "r1") < 10 for board in boards) / len(boards) < 11.0
    assert {place(board, "r1") for board in boards} == set(range(100))
    assert [place("duct-7", f"r{number}") for number in range(3)] == [41, 27, 40]  # on each machine, always


def test_a_fleet_goes_cohort_by_cohort_and_is_finished_after_the_last_soak() -> None:
    of = plan()
    progress, actions = advanced(of, begun(of), 0)
    first = offered(actions)
    assert set(first) == {board for board in FLEET if cohort_of(board, of) == 0}
    assert decide(of, progress, 0) == (WaitUntil(24 * HOUR_S),)

    progress = all_report(progress, Status.SUCCEEDED, 10)
    assert decide(of, progress, 10) == (WaitUntil(10 + HOUR_S),)
    progress, actions = advanced(of, progress, 10 + HOUR_S)
    assert set(offered(actions)) == set(FLEET) - set(first)

    progress = all_report(progress, Status.SUCCEEDED, 5000)
    assert decide(of, progress, 5000) == (WaitUntil(5000 + HOUR_S),)
    progress, actions = advanced(of, progress, 5000 + HOUR_S)
    assert (actions, progress.phase) == ((Finish(),), Phase.FINISHED)


def test_silent_boards_have_failed_after_the_deadline_and_abort() -> None:
    of = plan()
    progress, actions = advanced(of, begun(of), 0)
    first = offered(actions)
    progress = note(progress, first[0], Status.IN_PROGRESS, 5)  # begun, and then nothing more

    progress, actions = advanced(of, progress, 24 * HOUR_S)

    assert isinstance(actions[0], Expire)
    assert set(actions[0].boards) == set(first)
    assert actions[1:] == (Abort(f"{len(first)} of {len(first)} boards of all failed, more than 10%"),)
    assert progress.phase is Phase.ABORTED
    assert totals(progress).failed == len(first)


def test_too_many_failures_abort_as_soon_as_enough_have_answered_and_the_rest_is_withdrawn() -> None:
    of = plan(percents=[100])
    progress, _ = advanced(of, begun(of), 0)
    for board in FLEET[:4]:
        progress = note(progress, board, Status.FAILED, 1)
    assert decide(of, progress, 1) == (WaitUntil(24 * HOUR_S),)
    progress = note(progress, FLEET[4], Status.IN_PROGRESS, 1)
    progress = note(progress, FLEET[5], Status.REJECTED, 1)

    progress, actions = advanced(of, progress, 2)

    assert actions[0] == Abort("5 of 5 boards of all failed, more than 10%")
    assert actions[1] == Withdraw(tuple(board for board in FLEET if board not in FLEET[:6]))
    assert actions[2:] == (WaitUntil(24 * HOUR_S),)  # for the one that has begun
    progress = note(progress, FLEET[4], Status.SUCCEEDED, 3)
    assert totals(progress).succeeded == 1
    assert decide(of, progress, 3) == ()


def test_one_board_that_fails_alone_in_its_cohort_stops_the_next_although_there_are_few_results() -> None:
    of = plan(percents=[1, 100], min_results=50)
    canary = next(board for board in map("duct-{}".format, range(1000)) if cohort_of(board, of) == 0)
    others = [board for board in FLEET if cohort_of(board, of) == 1]
    progress, actions = advanced(of, begun(of, [canary, *others]), 0)
    assert offered(actions) == (canary,)

    _, actions = advanced(of, note(progress, canary, Status.FAILED, 1), 2)

    assert actions == (Abort("1 of 1 boards of cohort 1 failed, more than 10%"),)


def test_failures_of_a_cohort_are_not_hidden_by_the_successes_before() -> None:
    of = plan(percents=[50, 100], min_results=10)
    progress, _ = advanced(of, begun(of), 0)
    progress = all_report(progress, Status.SUCCEEDED, 0)
    progress, actions = advanced(of, progress, HOUR_S)
    for board in offered(actions)[:5]:
        progress = note(progress, board, Status.FAILED, HOUR_S)
    for board in offered(actions)[5:10]:
        progress = note(progress, board, Status.SUCCEEDED, HOUR_S)

    assert totals(progress).failure_share < 0.1
    assert decide(of, progress, HOUR_S)[0] == Abort("5 of 10 boards of cohort 2 failed, more than 10%")


def test_empty_cohorts_are_passed_over_without_a_soak() -> None:
    of = plan(percents=[1, 2, 3, 4, 100])
    progress, actions = advanced(of, begun(of, ["duct-000"]), 0)
    assert offered(actions) == ("duct-000",)

    progress, actions = advanced(of, all_report(progress, Status.SUCCEEDED, 0), HOUR_S)

    assert (actions, progress.phase) == ((Finish(),), Phase.FINISHED)


def test_a_rollout_without_boards_waits_for_one_and_is_not_finished() -> None:
    of = plan()

    assert decide(of, Progress(), 10 * HOUR_S) == ()
    assert offered(decide(of, begun(of, ["duct-000"]), 10 * HOUR_S)) == ("duct-000",)


def test_a_hundred_percent_at_once_is_one_cohort() -> None:
    of = plan(percents=[100], soak_s=0)

    progress, actions = advanced(of, begun(of), 0)

    assert set(offered(actions)) == set(FLEET)
    progress, actions = advanced(of, all_report(progress, Status.SUCCEEDED, 1), 1)
    assert actions == (Finish(),)


def test_a_board_that_appears_late_joins_the_newest_cohort_and_none_that_is_over() -> None:
    of = plan()
    early = [board for board in FLEET if cohort_of(board, of) == 0]
    progress, _ = advanced(of, begun(of, FLEET[50:]), 0)
    progress = all_report(progress, Status.SUCCEEDED, 0)
    progress, _ = advanced(of, progress, HOUR_S)

    progress = join(of, progress, early)
    progress, actions = advanced(of, progress, HOUR_S)

    assert set(offered(actions)) == {board for board in early if board in FLEET[:50]}
    assert {progress.members[board].cohort for board in offered(actions)} == {1}
    assert all(progress.members[board].cohort == 0 for board in early if board in FLEET[50:])


def test_a_board_in_two_rollouts_has_a_place_and_a_state_in_each() -> None:
    one, other = plan(rollout="r1", percents=[100]), plan(rollout="r2", percents=[100])
    first, _ = advanced(one, begun(one, ["duct-000"]), 0)
    second, _ = advanced(other, begun(other, ["duct-000"]), 0)

    first = note(first, "duct-000", Status.FAILED, 1)

    assert totals(first).failed == 1
    assert totals(second).queued == 1


def test_a_pause_stops_offers_and_keeps_results() -> None:
    of = plan(soak_s=0)
    progress, _ = advanced(of, begun(of), 0)
    progress = step(progress, Step.PAUSE, "lunch")

    progress = all_report(progress, Status.SUCCEEDED, 1)
    progress, actions = advanced(of, progress, 100)

    assert actions == ()
    assert totals(progress).succeeded > 0
    assert offered(decide(of, step(progress, Step.RESUME, "back"), 100))


@pytest.mark.parametrize("phase", [Phase.ABORTED, Phase.FINISHED], ids=str)
@pytest.mark.parametrize("event", Step, ids=str)
def test_what_is_over_stays_over(phase: Phase, event: Step) -> None:
    with pytest.raises(KeyError):
        step(Progress(phase=phase), event, "")


@pytest.mark.parametrize("percents", [[], [10], [10, 10, 100], [50, 10, 100], [0, 100], [100, 101]], ids=str)
def test_percents_that_do_not_lead_to_the_whole_fleet_are_refused(percents: list[int]) -> None:
    with pytest.raises(msgspec.ValidationError):
        plan(percents=percents)


def test_results_in_any_order_twice_or_late_come_to_the_same_totals() -> None:
    of = plan(percents=[100], max_failures=1)
    start, _ = advanced(of, begun(of), 0)
    news = [(board, Status.FAILED if place(board, "x") < 30 else Status.SUCCEEDED) for board in FLEET]
    news += [(board, Status.IN_PROGRESS) for board in FLEET] + news
    sums = set()
    for seed in range(20):
        progress, shuffled = start, random.Random(seed).sample(news, len(news))
        for board, status in shuffled:
            progress = note(progress, board, status, 1)
        sums.add(totals(progress))

    assert len(sums) == 1
    assert sums.pop().failed == sum(status is Status.FAILED for _, status in news) // 2


class AnyFleet(RuleBasedStateMachine):
    """Boards appear, answer, answer again and are silent; an operator pauses and aborts; time goes by."""

    @initialize(
        percents=st.sets(st.integers(1, 99), max_size=3),
        soak_s=st.sampled_from([0, 10, 100]),
        min_results=st.integers(1, 5),
        max_failures=st.sampled_from([0, 0.2, 1]),
        boards=st.sets(st.sampled_from(FLEET), max_size=20),
    )
    def begin(self, percents: set[int], soak_s: int, min_results: int, max_failures: float, boards: set[str]) -> None:
        self.plan = plan(
            percents=[*sorted(percents), 100],
            soak_s=soak_s,
            deadline_s=50,
            min_results=min_results,
            max_failures=max_failures,
        )
        self.progress = join(self.plan, Progress(), boards)
        self.now_s = 0.0
        self.offers: list[str] = []
        self.final: dict[str, Status] = {}
        self.over: Phase | None = None

    @rule(later_s=st.sampled_from([0, 1, 9, 49, 120]))
    def time_goes_by(self, later_s: int) -> None:
        self.now_s += later_s
        before = self.progress
        actions = decide(self.plan, before, self.now_s)
        self.progress = apply(before, actions, self.now_s)
        self._look_at_offers(before, actions)
        again = decide(self.plan, self.progress, self.now_s)
        assert all(isinstance(action, WaitUntil) and action.at_s > self.now_s for action in again)
        for member in self.progress.members.values():
            assert not (member.is_open and (member.offered_s or 0) + self.plan.deadline_s <= self.now_s)

    def _look_at_offers(self, before: Progress, actions: tuple[Action, ...]) -> None:
        boards = offered(actions)
        assert not boards or before.phase is Phase.RUNNING
        self.offers += boards
        assert len(set(self.offers)) == len(self.offers)
        if boards:
            cohort = min(self.progress.members[board].cohort for board in boards)
            earlier = [one for one in self.progress.members.values() if one.cohort < cohort]
            for one in earlier:
                assert one.settled_s is not None
                assert one.settled_s + self.plan.soak_s <= self.now_s

    @rule(board=st.sampled_from(FLEET), status=st.sampled_from(sorted(BOARD_MAY[Status.IN_PROGRESS], key=str)))
    def a_board_reports(self, board: str, status: Status) -> None:
        self.progress = note(self.progress, board, status, self.now_s)

    @rule(boards=st.sets(st.sampled_from(FLEET), max_size=5))
    def boards_appear(self, boards: set[str]) -> None:
        self.progress = join(self.plan, self.progress, boards)

    @rule(event=st.sampled_from([Step.PAUSE, Step.RESUME, Step.RESUME, Step.ABORT]), dice=st.integers(0, 3))
    def an_operator_acts(self, event: Step, dice: int) -> None:
        if event is Step.ABORT and dice:
            return  # seldom
        try:
            self.progress = step(self.progress, event, "operator")
        except KeyError:
            assert self.progress.phase in (Phase.ABORTED, Phase.FINISHED) or event in (Step.PAUSE, Step.RESUME)

    @invariant()
    def what_is_over_stays_so(self) -> None:
        if not hasattr(self, "progress"):
            return
        if self.over is not None:
            assert self.progress.phase is self.over
        if self.progress.phase in (Phase.ABORTED, Phase.FINISHED):
            self.over = self.progress.phase
        if self.progress.phase is Phase.FINISHED:
            assert all(one.status is not None and one.status.is_final for one in self.progress.members.values())

    @invariant()
    def results_are_final_and_the_totals_add_up(self) -> None:
        if not hasattr(self, "progress"):
            return
        for board, member in self.progress.members.items():
            if member.status is not None and member.status.is_final:
                assert self.final.setdefault(board, member.status) is member.status
        some = totals(self.progress)
        counted = some.waiting + some.queued + some.in_progress + some.succeeded + some.failed + some.withdrawn
        assert counted == some.boards == len(self.progress.members)
        assert some.failed == sum(status in FAILURES for status in self.final.values())


AnyFleet.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestAnyFleet = AnyFleet.TestCase
