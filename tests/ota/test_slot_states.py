"""All records that can be reached: with releases 2 to 5, and times that are either now or after every limit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import msgspec
import pytest

from ota import slot_moves as moves
from ota.slot_states import HOLDING, LIMIT_S, MAX_STARTS, NEXT, PENDING, Record, SlotEvent, SlotName, SlotState
from ota.slots import Saved
from tests.ota.builders import NOW, SHIPPED, held, on_trial, running, staged, updated

REST = set(SlotState) - PENDING
NUMBERS = range(2, 6)
LATER = NOW + 2 * max(LIMIT_S.values())


Walked = dict[Record, list[tuple[str, Record]]]
"""Each record, and what each step from it leads to."""


def bare(record: Record) -> Record:
    """Without what only people read, and with all times the same: finitely many."""
    return replace(record, a=replace(record.a, since_s=NOW), b=replace(record.b, since_s=NOW), history=())


def steps(record: Record) -> Iterator[tuple[str, Record]]:
    state = None if record.pending is None else record[record.pending].state
    for number in NUMBERS if state is not SlotState.PROBATION else ():
        if not moves.refusal(record, held(number), shipped=SHIPPED):
            yield "stage", staged(record, number)
    yield "start", moves.started(record, now_s=NOW)
    yield "overdue", moves.overdue(record, now_s=LATER)
    for name in SlotName:
        if record[name].state in HOLDING:
            yield "lose", moves.lost(record, name, now_s=NOW, why="")
    if state is not None:
        yield "steady", moves.steady(record)
        yield "fail", moves.failed(record, now_s=NOW, why="")
        yield "give up", moves.given_up(record, now_s=NOW, why="")
    if state is SlotState.STAGED:
        yield "begin", moves.trial_begun(record, now_s=NOW, why="")
    if state is SlotState.TRIAL:
        yield "pass", moves.passed(record, now_s=NOW, why="")
    if state is SlotState.PROBATION:
        yield "keep", moves.kept(record, now_s=NOW, why="")
    if record.active is not None:
        yield "roll back", moves.rolled_back(record, now_s=NOW, why="")
        yield "unusable", moves.unusable(record, now_s=NOW, why="")


def walked() -> Walked:
    found: Walked = {}
    new = [Record()]
    while new:
        record = new.pop()
        if record not in found:
            found[record] = [(name, bare(after)) for name, after in steps(record)]
            new += [after for _, after in found[record]]
    return found


@pytest.fixture(scope="module")
def reachable() -> Walked:
    return walked()


def test_all_reachable_records_are_walked(reachable: Walked) -> None:
    assert len(reachable) > 1_000
    assert {record[name].state for record in reachable for name in SlotName} == set(SlotState)
    assert {record.active for record in reachable} == {None, *SlotName}


def test_only_what_passed_its_trial_ever_runs(reachable: Walked) -> None:
    for record, after in reachable.items():
        for name, then in after:
            if running(then) not in {None, running(record)}:
                previous = None if record.previous is None else record[record.previous].holds
                tried = None if record.pending is None else record[record.pending].holds
                gained = tried if name == "pass" else previous
                assert gained is not None, name
                assert gained.counter == running(then), name


def test_what_is_good_runs_until_a_verdict_a_person_or_the_disk_changes_it(reachable: Walked) -> None:
    changing = {
        name
        for record, after in reachable.items()
        for name, then in after
        if running(then) != running(record) and not on_probation(record)
    }

    assert changing == {"pass", "roll back", "unusable", "lose"}


def test_what_fails_on_probation_leaves_what_was_good_before(reachable: Walked) -> None:
    for record in filter(on_probation, reachable):
        before = None if record.previous is None else record[record.previous].holds
        for back in (moves.failed(record, now_s=NOW, why=""), at_rest_by_starts(record), at_rest_by_time(record)):
            assert running(back) == (None if before is None else before.counter)


def test_what_failed_on_this_board_never_comes_again(reachable: Walked) -> None:
    for record in reachable:
        there = [record[name].holds for name in SlotName if record[name].state in HOLDING]
        assert not {one.sha256 for one in there if one is not None} & set(record.bad)


def test_every_record_comes_to_rest_by_starts_alone_and_by_time_alone(reachable: Walked) -> None:
    for record in reachable:
        for end in (at_rest_by_starts(record), at_rest_by_time(record)):
            assert {end.a.state, end.b.state} <= REST
            assert running(end) == running(record) or on_probation(record)


def test_every_record_takes_a_new_release_to_its_end(reachable: Walked) -> None:
    new = max(NUMBERS) + 1
    for record in reachable:
        assert not moves.refusal(record, held(new), shipped=SHIPPED)
        rested = at_rest_by_time(record) if on_probation(record) else record
        assert running(updated(rested, new)) == new
        assert running(moves.failed(on_trial(rested, new), now_s=NOW, why="")) == running(rested)


def test_every_record_that_can_be_reached_is_kept_as_it_is(reachable: Walked) -> None:
    for record in reachable:
        content = msgspec.json.encode(Saved(record=record))
        assert msgspec.json.decode(content, type=Saved).record == record


def on_probation(record: Record) -> bool:
    return SlotState.PROBATION in (record.a.state, record.b.state)


def at_rest_by_starts(record: Record) -> Record:
    for _ in range(MAX_STARTS):
        record = moves.started(record, now_s=NOW)
    return record


def at_rest_by_time(record: Record) -> Record:
    return moves.overdue(record, now_s=LATER)


def test_each_row_of_the_table_is_used_and_no_move_leaves_it(reachable: Walked) -> None:
    used = set()
    for record in reachable:
        for name, after in steps(record):
            for slot in SlotName:
                events = [one.event for one in after.history if one.slot is slot]
                state = record[slot].state
                for event in events or ([SlotEvent.START] if name == "start" and state in PENDING else []):
                    used.add((state, event))
                    state = NEXT[state, event]
                assert state is after[slot].state

    assert used == set(NEXT)
