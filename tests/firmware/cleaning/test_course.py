"""How a cleaning goes: by examples, and by any order of what may happen."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from drivers.types import SourceId
from firmware.cleaning.course import ANSWER_LIMIT_NS, MOST_STEPS, Course, Refused, check
from firmware.cleaning.states import NEXT, REPORTED, CleaningEvent, CleaningState
from tests.builders import at
from tests.firmware.cleaning.builders import DOWN, UP, bounds, course, moment, step

E, S = CleaningEvent, CleaningState


def finished() -> Course:
    """One that was finished at 100 s, and whose first snapshot was asked for then."""
    it = course(step(E.START, 0), step(E.FINISH, 100))
    assert it.asks(at(100))
    return it


def sees(it: Course, seconds: float, *cameras: SourceId, clean: bool = True) -> list[CleaningEvent]:
    steps = [it.judged(camera, at(seconds), clean=clean, moment=moment(seconds)) for camera in cameras]
    return [found.event for found in steps if found is not None]


def test_enough_clean_snapshots_in_a_row_of_every_camera_verify_it() -> None:
    it = finished()

    assert sees(it, 101, UP, DOWN) == []
    assert sees(it, 111, UP) == []
    assert sees(it, 111, DOWN) == [E.VERIFY]
    assert it.state is S.IDLE
    assert [each.event for each in it.steps] == [E.START, E.FINISH, E.VERIFY]


def test_one_that_is_not_clean_begins_the_row_anew() -> None:
    it = finished()
    sees(it, 101, UP, DOWN)
    sees(it, 111, UP, clean=False)

    assert sees(it, 111, DOWN) == []
    assert it.in_a_row == {UP: 0, DOWN: 2}
    assert sees(it, 121, UP) == []
    assert sees(it, 131, UP) == [E.VERIFY]


def test_a_snapshot_from_before_it_was_finished_says_nothing() -> None:
    it = finished()

    sees(it, 99, UP, DOWN)

    assert it.in_a_row == {UP: 0, DOWN: 0}


def test_snapshots_are_asked_for_as_soon_as_the_last_was_judged_but_not_faster_than_the_pace() -> None:
    it = finished()

    assert not it.asks(at(110))  # not judged yet
    sees(it, 110, UP, DOWN, clean=False)
    assert it.asks(at(110))
    sees(it, 111, UP, DOWN, clean=False)
    assert not it.asks(at(119))
    assert it.asks(at(120))


def test_a_camera_that_does_not_answer_does_not_hold_the_others_up_for_ever() -> None:
    it = finished()
    sees(it, 101, UP)

    assert not it.asks(at(100 + ANSWER_LIMIT_NS / 1e9 - 1))
    assert it.asks(at(100 + ANSWER_LIMIT_NS / 1e9))


def test_too_many_snapshots_without_are_not_verified_and_name_the_camera() -> None:
    it = finished()
    for seconds in (110, 120, 130, 140):
        assert it.tick(moment(seconds)) is None
        sees(it, seconds, UP)
        sees(it, seconds, DOWN, clean=False)
        it.asks(at(seconds))

    given_up = it.tick(moment(140))

    assert given_up is not None
    assert (given_up.event, given_up.reason) == (
        E.GIVE_UP,
        "4 snapshots were taken, and not 2 in a row were clean: downstream",
    )
    assert it.state is S.IDLE


def test_who_sees_that_it_is_not_clean_goes_on_cleaning_and_the_start_stays_the_first() -> None:
    it = finished()
    for seconds in (250, 400, 550):
        assert it.asks(at(seconds))
    it.start(moment(600), "ann")
    assert it.tick(moment(900)) is None  # the snapshots before are none of its business
    it.finish(moment(900), "ann")

    assert [each.event for each in it.steps] == [E.START, E.FINISH, E.START, E.FINISH]
    assert it.snapshots == 0
    assert it.steps[0].moment.at == at(0)


@pytest.mark.parametrize("steps", [(step(E.START, 0),), (step(E.START, 0), step(E.FINISH, 3000))])
def test_one_that_was_forgotten_ends_by_itself(steps: tuple[object, ...]) -> None:
    it = course(*steps)  # type: ignore[arg-type]

    assert it.tick(moment(3599)) is None
    left = it.tick(moment(3600))

    assert left is not None
    assert (left.event, left.by, left.reason) == (E.ABANDON, "board", "not over after 1 h")
    assert not it.under_way


def test_what_cannot_be_done_now_is_refused_with_what_can() -> None:
    it = course()
    with pytest.raises(Refused, match="no cleaning is under way: start one first"):
        it.finish(moment(0), "ann")
    with pytest.raises(Refused, match="no cleaning is under way"):
        it.cancel(moment(0), "ann")
    it.start(moment(1), "ann")
    with pytest.raises(Refused, match=r"under way since 2026-11-23T12:00:01\+01:00, by ann: finish or cancel"):
        it.start(moment(2), "bob")
    it.finish(moment(3), "ann")
    with pytest.raises(Refused, match="finished by ann, and is being looked at"):
        it.finish(moment(4), "bob")
    with pytest.raises(Refused, match="no camera here"):
        course(cameras=()).start(moment(0), "ann")


def test_without_its_cameras_a_cleaning_is_never_verified() -> None:
    it = course(step(E.START, 0), step(E.FINISH, 100), cameras=())

    asked = [seconds for seconds in range(100, 200) if it.asks(at(seconds))]
    given_up = it.tick(moment(200))

    assert asked == [100, 110, 120, 130]
    assert given_up is not None
    assert given_up.event is E.GIVE_UP


def test_nobody_finishes_and_begins_it_again_for_ever() -> None:
    it = course(step(E.START, 0))
    while len(it.steps) < MOST_STEPS:
        it.finish(moment(1), "ann")
        if len(it.steps) < MOST_STEPS:
            it.start(moment(1), "ann")

    with pytest.raises(Refused, match="too often"):
        it.start(moment(1), "ann")
    assert it.cancel(moment(1), "ann").event is E.CANCEL


@pytest.mark.parametrize(
    "events",
    [(), (E.FINISH,), (E.START, E.VERIFY), (E.START, E.START), (E.START, E.CANCEL), (E.START, E.CANCEL, E.START)],
)
def test_steps_that_no_cleaning_takes_are_no_memory_of_one(events: tuple[CleaningEvent, ...]) -> None:
    with pytest.raises(ValueError, match=r"in the state|has ended it|without a step"):
        check([step(event, 0) for event in events])


class AnyOrder(RuleBasedStateMachine):
    """Whatever people, cameras, time and power cuts do: one at a time, and it ends."""

    @initialize()
    def begin(self) -> None:
        self.now_s = 0.0
        self.bounds = bounds(needed=2, at_most=3, longest_s=1000)
        self.it = Course((UP, DOWN), self.bounds)

    def does(self, action: CleaningEvent) -> None:
        before = self.it.state
        do = {E.START: self.it.start, E.FINISH: self.it.finish, E.CANCEL: self.it.cancel}[action]
        allowed = (before, action) in NEXT and not (
            action is E.START and len(self.it.steps) >= MOST_STEPS and before is not S.IDLE
        )
        try:
            taken = do(moment(self.now_s), "ann")
        except Refused:
            assert not allowed
            assert self.it.state is before
        else:
            assert allowed
            assert self.it.state is NEXT[before, action]
            assert self.it.steps[-1] is taken

    @rule(action=st.sampled_from([E.START, E.FINISH, E.CANCEL]))
    def somebody_does(self, action: CleaningEvent) -> None:
        self.does(action)

    @rule(camera=st.sampled_from([UP, DOWN, SourceId("elsewhere")]), clean=st.booleans(), ago_s=st.integers(0, 300))
    def a_camera_sees(self, camera: SourceId, clean: bool, ago_s: int) -> None:
        before = self.it.state
        taken = self.it.judged(camera, at(self.now_s - ago_s), clean=clean, moment=moment(self.now_s))
        if taken is not None:
            assert before is S.VERIFYING
            assert clean
            assert min(self.it.in_a_row.values()) >= 2

    @rule(seconds=st.integers(0, 400))
    def time_goes_by(self, seconds: int) -> None:
        self.now_s += seconds
        ended = self.it.tick(moment(self.now_s))
        assert ended is None or ended.event in REPORTED
        if self.it.asks(at(self.now_s)):
            assert self.it.state is S.VERIFYING
            assert not self.it.asks(at(self.now_s))

    @precondition(lambda self: self.it.under_way)
    @rule()
    def the_power_is_cut(self) -> None:
        steps, state = self.it.steps, self.it.state
        check(steps)
        self.it = Course((UP, DOWN), self.bounds, steps)
        assert (self.it.steps, self.it.state) == (steps, state)

    @invariant()
    def it_has_one_start_and_is_over_in_time(self) -> None:
        if self.it.under_way:
            assert self.it.steps[0].event is E.START
            assert not {E.VERIFY, E.GIVE_UP, E.CANCEL, E.ABANDON} & {each.event for each in self.it.steps}
        self.it.tick(moment(self.now_s))
        if self.it.under_way:
            assert at(self.now_s) - self.it.steps[0].moment.at < self.bounds.longest_ns

    def teardown(self) -> None:
        """From wherever it came to, time alone ends it; and then another can be started."""
        self.it.tick(moment(self.now_s + 1000))
        assert self.it.state is S.IDLE
        assert self.it.start(moment(self.now_s + 1000), "bob").event is E.START


TestAnyOrder = AnyOrder.TestCase
