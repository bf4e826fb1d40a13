from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from ota import slot_moves as moves
from ota.slot_states import (
    LIMIT_S,
    MAX_BAD,
    MAX_HISTORY,
    MAX_STARTS,
    MAX_WHY,
    PENDING,
    Held,
    Record,
    SlotName,
    SlotState,
)
from ota.slots import MAX_RECORD_BYTES, Saved
from tests.ota.builders import NOW, SHIPPED, held, on_probation, on_trial, running, staged, updated

A, B = SlotName.A, SlotName.B
PENDING_STATES = pytest.mark.parametrize(
    "begun", [staged, on_trial, on_probation], ids=["examined", "on trial", "on probation"]
)


def test_an_empty_record_runs_the_model_in_the_firmware() -> None:
    assert moves.chosen(Record()) is None


def test_an_update_goes_to_the_other_slot_and_the_old_one_stays_to_go_back_to() -> None:
    record = updated(Record(), 2, 3)

    assert (record.active, record.previous, running(record)) == (B, A, 3)
    assert running(moves.rolled_back(record, now_s=NOW, why="it judges soot as clean")) == 2


def test_after_two_rollbacks_the_model_in_the_firmware_runs_and_neither_comes_back() -> None:
    record = updated(Record(), 2, 3)
    for _ in range(2):
        record = moves.rolled_back(record, now_s=NOW, why="")

    assert moves.chosen(record) is None
    assert record.bad == (held(3).sha256, held(2).sha256)
    assert "was rolled back on this board" in moves.refusal(record, held(3), shipped=SHIPPED, older=True)


def test_a_rollback_during_a_trial_goes_to_the_firmware_and_the_trial_goes_on() -> None:
    record = moves.rolled_back(on_trial(updated(Record(), 2), 3), now_s=NOW, why="")

    assert moves.chosen(record) is None
    assert running(moves.passed(record, now_s=NOW, why="")) == 3


def test_a_model_on_probation_counts_and_the_one_before_it_stays_until_the_verdict() -> None:
    record = on_probation(updated(Record(), 2), 3)

    assert (running(record), record.previous) == (3, A)
    assert running(moves.failed(record, now_s=NOW, why="")) == 2
    assert running(moves.kept(record, now_s=NOW, why="")) == 3


def test_after_a_steady_run_the_starts_count_anew() -> None:
    record = on_probation(updated(Record(), 2), 3)
    for _ in range(10 * MAX_STARTS):
        record = moves.steady(moves.started(record, now_s=NOW))

    assert running(record) == 3


def test_a_model_that_cannot_be_loaded_goes_back_by_itself() -> None:
    record = moves.unusable(updated(Record(), 2, 3), now_s=NOW, why="needs LiteRT 3")

    assert running(record) == 2
    assert record.history[-1].why == "needs LiteRT 3"


@PENDING_STATES
def test_the_third_start_without_a_verdict_is_one_too_many(begun: Callable[[Record, int], Record]) -> None:
    record = begun(updated(Record(), 2), 3)
    for _ in range(MAX_STARTS - 1):
        record = moves.started(record, now_s=NOW)
        assert record[B].state in PENDING
    record = moves.started(record, now_s=NOW)

    assert record[B].state is SlotState.BAD
    assert (running(record), record.bad) == (2, (held(3).sha256,))


def test_starts_in_the_examination_do_not_count_for_the_trial() -> None:
    record = moves.started(staged(Record(), 2), now_s=NOW)

    assert moves.trial_begun(record, now_s=NOW, why="")[A].starts == 0


@PENDING_STATES
def test_what_waits_for_too_long_is_given_up_but_may_come_again(begun: Callable[[Record, int], Record]) -> None:
    record = begun(Record(), 2)
    limit_s = LIMIT_S[record[A].state]
    assert moves.overdue(record, now_s=NOW + limit_s - 1) == record

    given_up = moves.overdue(record, now_s=NOW + limit_s)
    assert given_up[A].state is SlotState.EMPTY
    assert not moves.refusal(given_up, held(2), shipped=SHIPPED)


def test_a_clock_that_was_far_ahead_does_not_make_a_trial_last_for_years() -> None:
    record = moves.overdue(on_trial(Record(), 2), now_s=NOW - 10 * 365 * 86_400)

    assert moves.overdue(record, now_s=NOW).pending is None


REFUSED = {
    "older than what is active": (updated(Record(), 3), held(2), "has the release counter 2, and this board has 3"),
    "other bytes under the same counter": (updated(Record(), 3), held(9, counter=3), "has 3 already"),
    "what is active": (updated(Record(), 3), held(3), "is what runs already"),
    "older than what is on trial": (on_trial(updated(Record(), 2), 4), held(3), "has 4 already"),
    "not newer than the firmware's": (Record(), held(7, counter=1), "has the release counter 1, and this board has 1"),
    "failed": (moves.failed(staged(Record(), 2), now_s=NOW, why=""), held(2), "1.2 failed on this board before"),
    "rolled back": (
        moves.rolled_back(updated(Record(), 2), now_s=NOW, why="by ann"),
        held(2),
        "1.2 was rolled back on this board before: by ann",
    ),
    "not to be loaded": (
        moves.unusable(updated(Record(), 2), now_s=NOW, why=""),
        held(2),
        "1.2 could not be loaded on this board before",
    ),
    "failed or rolled back, longer ago than the history goes": (
        replace(Record(), bad=(held(2).sha256,)),
        held(2),
        "1.2 failed on this board before, or was rolled back",
    ),
}


@pytest.mark.parametrize(("record", "new", "why"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_to_be_staged(record: Record, new: Held, why: str) -> None:
    assert why in moves.refusal(record, new, shipped=SHIPPED)


def test_an_older_one_may_be_asked_for_but_not_one_that_runs_or_failed() -> None:
    record = updated(Record(), 3)
    failed = moves.failed(staged(record, 4), now_s=NOW, why="")

    assert not moves.refusal(record, held(2), shipped=SHIPPED, older=True)
    assert moves.refusal(record, held(3), shipped=SHIPPED, older=True)
    assert moves.refusal(failed, held(4), shipped=SHIPPED, older=True)


def test_counters_of_different_models_are_not_compared() -> None:
    assert not moves.refusal(updated(Record(), 9), held(1, model="visual-clean-96"), shipped=SHIPPED)


def test_a_move_that_no_slot_can_make_is_the_callers_mistake() -> None:
    for move in (moves.trial_begun, moves.passed, moves.kept, moves.failed, moves.rolled_back, moves.unusable):
        with pytest.raises(KeyError):
            move(Record(), now_s=NOW, why="")
    with pytest.raises(KeyError):
        moves.passed(staged(Record(), 2), now_s=NOW, why="")


def test_the_list_of_the_bad_and_the_history_forget_the_oldest() -> None:
    record = Record()
    for number in range(2, MAX_BAD + 4):
        record = moves.failed(staged(record, number), now_s=NOW, why="")

    assert record.bad == tuple(held(number).sha256 for number in range(4, MAX_BAD + 4))
    assert len(record.history) == MAX_HISTORY


@pytest.mark.parametrize("sign", ["x", "\0", "\U0001f525", "\udc80", "\\"], ids=ascii)
def test_a_record_at_all_its_bounds_fits_its_file(sign: str) -> None:
    record = Record()
    for number in range(2, MAX_BAD + 4):
        record = moves.failed(staged(record, number), now_s=(1 << 40) - 1, why=sign * 10 * MAX_WHY)
    content = msgspec.json.encode(Saved(record=record))

    assert len(content) < MAX_RECORD_BYTES
    assert msgspec.json.decode(content, type=Saved).record == record


NO_RECORDS: dict[str, Callable[[], object]] = {
    "a good model, and nothing active": lambda: replace(updated(Record(), 2), active=None),
    "the active slot is on trial": lambda: replace(on_trial(Record(), 2), active=A),
    "the active slot is empty": lambda: replace(Record(), active=B),
    "on probation, and not active": lambda: replace(on_probation(Record(), 2), active=None),
    "two on trial": lambda: replace(on_trial(Record(), 2), b=on_trial(Record(), 2).a),
    "empty, and holds something": lambda: replace(on_trial(Record(), 2).a, state=SlotState.EMPTY),
    "on trial, and holds nothing": lambda: replace(Record().a, state=SlotState.TRIAL),
    "a hash that is none": lambda: replace(held(2), sha256="../../etc/passwd"),
    "a length below zero": lambda: replace(held(2), length=-1),
    "a model without a name": lambda: replace(held(2), model=""),
    "a counter beyond all": lambda: replace(held(2), counter=1 << 60),
}


@pytest.mark.parametrize("make", NO_RECORDS.values(), ids=NO_RECORDS)
def test_what_no_events_lead_to_is_no_record(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"slot|good|verdict|SHA|characters|bytes"):
        make()
