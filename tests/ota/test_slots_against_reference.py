"""Any sequence of changes, restarts and power cuts: the slots are as a reference of a few lines has them."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ota.errors import Busy, Untrusted
from ota.slot_states import MAX_STARTS, SlotState
from ota.slots import Slots
from tests.fakes.cut_disk import CutDisk
from tests.ota.builders import SHIPPED, release, tar_of
from tests.ota.slot_life import LATER, ROOT, loaded, state_of

NUMBERS = st.integers(min_value=1, max_value=40)
STAGED, TRIAL, PROBATION = SlotState.STAGED, SlotState.TRIAL, SlotState.PROBATION


class SlotsAgainstReference(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.disk = CutDisk(ROOT)
        self.running: int | None = None
        self.before: int | None = None
        self.waiting: int | None = None
        self.state = SlotState.EMPTY
        self.starts = 0
        self.bad: set[int] = set()

    @property
    def slots(self) -> Slots:
        return loaded(self.disk)

    def _wait(self, number: int | None, state: SlotState) -> None:
        self.waiting, self.state, self.starts = number, state, 0

    def _back(self) -> None:
        self.running, self.before = self.before, None

    def _end(self) -> None:
        if self.state is PROBATION:
            self._back()
        self._wait(None, SlotState.EMPTY)

    def _fail(self) -> None:
        assert self.waiting is not None
        self.bad.add(self.waiting)
        self._end()

    @rule(number=NUMBERS, older=st.booleans())
    def stage(self, number: int, older: bool) -> None:
        floor = max(SHIPPED.counter if self.running is None else self.running, self.waiting or 0)
        stage = self.slots.stage
        if self.state is PROBATION:
            with pytest.raises(Busy):
                stage(release(number), tar_of(number), older=older)
        elif number == self.waiting:
            stage(release(number), tar_of(number), older=older)
        elif number in self.bad or number == self.running or (number <= floor and not older):
            with pytest.raises(Untrusted):
                stage(release(number), tar_of(number), older=older)
        else:
            stage(release(number), tar_of(number), older=older)
            self.before = None
            self._wait(number, STAGED)

    @precondition(lambda self: self.waiting is not None)
    @rule()
    def comes_a_step_further(self) -> None:
        slots = self.slots
        if self.state is STAGED:
            slots.begin_trial("")
            self._wait(self.waiting, TRIAL)
        elif self.state is TRIAL:
            slots.passed("")
            self.before, self.running = self.running, self.waiting
            self._wait(self.waiting, PROBATION)
        else:
            slots.kept("")
            self._wait(None, SlotState.EMPTY)

    @precondition(lambda self: self.waiting is None)
    @rule(number=NUMBERS, steps=st.integers(min_value=1, max_value=3))
    def comes_on_its_way_at_once(self, number: int, steps: int) -> None:
        self.stage(number, older=True)
        for _ in range(steps if self.waiting is not None else 0):
            self.comes_a_step_further()

    @precondition(lambda self: self.waiting is not None)
    @rule()
    def failed(self) -> None:
        self.slots.failed("")
        self._fail()

    @rule()
    def started(self) -> None:
        self.slots.started()
        if self.waiting is not None:
            self.starts += 1
            if self.starts == MAX_STARTS:
                self._fail()

    @rule()
    def steady(self) -> None:
        self.slots.steady()
        self.starts = 0

    @rule()
    def no_verdict_for_a_week(self) -> None:
        loaded(self.disk, LATER)
        self._end()

    @precondition(lambda self: self.running is not None)
    @rule(by_hand=st.booleans())
    def back(self, by_hand: bool) -> None:
        assert self.running is not None
        self.slots.roll_back("") if by_hand else self.slots.unusable("")
        self.bad.add(self.running)
        self._lose_running()

    @precondition(lambda self: self.running is not None)
    @rule(length=st.integers(min_value=0, max_value=20))
    def the_running_tar_is_worn(self, length: int) -> None:
        tar = self.slots.running
        assert tar is not None
        self.disk.write(tar, bytes(length))
        self._lose_running()

    def _lose_running(self) -> None:
        if self.state is PROBATION:
            self._wait(None, SlotState.EMPTY)
        self._back()

    @rule(seed=st.integers(min_value=0, max_value=1000))
    def power_cut(self, seed: int) -> None:
        loaded(self.disk)  # what another program did to a tar is no change of ours, and is seen before the cut
        self.disk = Random(seed).choice(list(self.disk.after_cut(6, Random(seed))))

    @invariant()
    def it_is_as_the_reference_has_it(self) -> None:
        slots = loaded(self.disk.fork())
        running = None if slots.running is None else self.disk.files()[slots.running]
        assert running == (None if self.running is None else tar_of(self.running))
        assert {release(number).target.sha256 for number in self.bad} == set(slots.record.bad)
        waiting = slots.record.pending
        assert (waiting is None) is (self.waiting is None)
        if self.waiting is not None and waiting is not None:
            assert state_of(slots.record, self.waiting) is self.state
            assert slots.record[waiting].starts == self.starts
        assert (slots.record.previous is None) is (self.before is None)


TestSlotsAgainstReference = SlotsAgainstReference.TestCase
TestSlotsAgainstReference.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
