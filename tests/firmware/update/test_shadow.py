from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.types import NS_PER_S, Instant
from firmware.update.shadow import Limits, Outcome, Seen, decide, seen
from model.types import Label

CLEAN, DIRTY, CANNOT_TELL = Label.CLEAN, Label.DIRTY, Label.CANNOT_TELL
LIMITS = Limits(
    pictures=20, flips=0.1, losses=0.2, at_least_ns=3600 * NS_PER_S, at_most_ns=86_400 * NS_PER_S, budget_ms=150.0
)
LATER = Instant(3600 * NS_PER_S)


def trial(*pairs: tuple[Label, Label], took_ms: float = 10.0) -> Seen:
    found = Seen(since=Instant(0))
    for old, new in pairs:
        found = seen(found, old, new, took_ms)
    return found


def test_a_model_of_the_same_mind_passes_after_its_time() -> None:
    found = trial(*[(CLEAN, CLEAN)] * 18, (CLEAN, DIRTY), (DIRTY, CANNOT_TELL))

    assert decide(found, LIMITS, Instant(LATER - 1)) is None
    assert decide(found, LIMITS, LATER) == (
        Outcome.PASSED,
        "20 pictures beside the old model: 1 called the other way round, 1 not answered, p95 10.0 ms",
    )


def test_it_goes_on_until_enough_was_seen_and_gives_up_in_the_end() -> None:
    found = trial(*[(CLEAN, CLEAN)] * 19)

    assert decide(found, LIMITS, LATER) is None
    assert decide(found, LIMITS, Instant(LIMITS.at_most_ns)) == (
        Outcome.GAVE_UP,
        "only 19 of 20 pictures that both could judge",
    )


@pytest.mark.parametrize(
    ("pairs", "problem"),
    [
        ([(CLEAN, DIRTY)] * 3, "3 of 3 pictures are called the other way round, allowed 10%"),
        ([(DIRTY, CLEAN)] * 3, "3 of 3 pictures are called the other way round, allowed 10%"),
        ([(DIRTY, CANNOT_TELL)] * 5, "5 of 5 pictures are not answered, though the old model answers, allowed 20%"),
    ],
    ids=["cries wolf", "sees nothing", "never sure"],
)
def test_a_model_that_changes_its_mind_wildly_fails_as_soon_as_that_is_sure(
    pairs: list[tuple[Label, Label]], problem: str
) -> None:
    assert decide(trial(*pairs[:-1]), LIMITS, Instant(0)) is None
    assert decide(trial(*pairs), LIMITS, Instant(0)) == (Outcome.FAILED, problem)


def test_an_answer_where_the_old_model_had_none_is_no_change_of_mind() -> None:
    outcome = decide(trial(*[(CANNOT_TELL, DIRTY)] * 20), LIMITS, LATER)

    assert outcome is not None
    assert outcome[0] is Outcome.PASSED


def test_a_model_that_misses_its_budget_fails() -> None:
    outcome = decide(trial(*[(CLEAN, CLEAN)] * 20, took_ms=151.0), LIMITS, LATER)

    assert outcome == (Outcome.FAILED, "95 of 100 pictures take up to 151.0 ms, allowed 150 ms")


labels = st.sampled_from([CLEAN, DIRTY, CANNOT_TELL])


@given(st.lists(st.tuples(labels, labels), max_size=LIMITS.pictures), st.data())
def test_what_has_failed_is_not_saved_by_the_pictures_that_were_to_come(
    pairs: list[tuple[Label, Label]], data: st.DataObject
) -> None:
    further = data.draw(st.lists(st.tuples(labels, labels), max_size=LIMITS.pictures - len(pairs)))
    outcome = decide(trial(*pairs), LIMITS, LATER)

    if outcome is not None and outcome[0] is Outcome.FAILED:
        assert (decide(trial(*pairs, *further), LIMITS, LATER) or outcome)[0] is Outcome.FAILED
        assert decide(trial(*pairs, *further), LIMITS, LATER) is not None


def test_memory_of_a_trial_that_lasts_for_ever_is_bounded() -> None:
    assert len(trial(*[(CLEAN, CLEAN)] * 1_100).times_ms) == 1_000
