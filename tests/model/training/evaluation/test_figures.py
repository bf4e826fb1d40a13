"""Figures of sets whose answers are known."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.training.evaluation.figures import latency, measure, wilson
from model.training.evaluation.scores import Scored
from model.types import Label, Reason

SAID = {"c": Label.CLEAN, "d": Label.DIRTY, "?": Label.CANNOT_TELL}
COUNTS = st.integers(1, 100_000).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole)))


def scored(
    truth: str, score: float | None, said: str = "?", *, reasons: tuple[Reason, ...] = (), took_ns: int = 0
) -> Scored:
    """`truth` and `said`: c for clean, d for dirty; ? for CANNOT_TELL."""
    return Scored(
        name=f"{truth}.jpg", dirty=truth == "d", score=score, label=SAID[said], reasons=reasons, invoke_ns=took_ns
    )


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilsons_interval_is_as_published(part: int, whole: int, low: float, high: float) -> None:
    """R. Newcombe, Statistics in Medicine 17 (1998) 857, table I, method 3."""
    share = wilson(part, whole)

    assert share is not None
    assert [share.low, share.high] == pytest.approx([low, high], abs=5e-5)


@given(COUNTS)
def test_wilsons_interval_holds_the_share_and_stays_within_bounds(counts: tuple[int, int]) -> None:
    share = wilson(*counts)

    assert share is not None
    assert 0 <= share.low <= share.value <= share.high <= 1
    assert share.low < share.high


def test_the_forced_answer_and_the_boards_answer_are_told_apart() -> None:
    figures = measure(
        [
            scored("c", 0.1, "c"),
            scored("c", 0.4, "?", reasons=(Reason.UNSURE,)),
            scored("c", 0.9, "d"),
            scored("c", 0.2, "?", reasons=(Reason.DARK, Reason.BLURRED)),
            scored("d", 0.8, "d"),
            scored("d", 0.1, "c"),
        ],
        threshold=0.5,
    )

    assert figures.accuracy is not None
    assert figures.coverage is not None
    assert figures.accuracy_told is not None
    assert figures.clean_though_dirty is not None
    assert (figures.accuracy.value, figures.balanced_accuracy) == (4 / 6, (3 / 4 + 1 / 2) / 2)
    assert (figures.coverage.value, figures.accuracy_told.value) == (4 / 6, 2 / 4)
    assert figures.clean_though_dirty.value == 1 / 2
    assert figures.confusion == {
        "CLEAN": {"CLEAN": 1, "DIRTY": 1, "CANNOT_TELL": 2},
        "DIRTY": {"CLEAN": 1, "DIRTY": 1, "CANNOT_TELL": 0},
    }
    assert figures.reasons == {"unsure": 1, "dark": 1, "blurred": 1}


def test_a_picture_that_cannot_be_read_is_wrong_and_named() -> None:
    broken = Scored(name="broken.jpg", dirty=False, score=None, label=Label.CANNOT_TELL, reasons=(Reason.UNREADABLE,))

    figures = measure([broken, scored("c", 0.1, "c"), scored("d", 0.9, "d")], threshold=0.5)

    assert figures.unreadable == ("broken.jpg",)
    assert figures.accuracy is not None
    assert (figures.accuracy.value, figures.accuracy.of) == (2 / 3, 3)
    assert figures.balanced_accuracy == (1 / 2 + 1) / 2
    assert figures.auc == 1.0


def test_a_score_on_the_threshold_is_clean_as_on_a_board() -> None:
    assert scored("c", 0.5).is_right(0.5)
    assert not scored("d", 0.5).is_right(0.5)


@pytest.mark.parametrize(
    "pictures",
    [[], [scored("c", 0.1, "c")], [scored("d", 0.1, "?")], [scored("c", None)], [scored("d", None), scored("c", None)]],
    ids=["nothing", "one clean", "one dirty", "one unreadable", "all unreadable"],
)
def test_what_cannot_be_said_is_null_never_nan(pictures: list[Scored]) -> None:
    figures = measure(pictures, threshold=0.5)

    json.dumps(asdict(figures), allow_nan=False)
    assert figures.auc is None
    assert (figures.balanced_accuracy is None) == (len(pictures) < 2)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=30))
def test_balanced_accuracy_is_accuracy_where_classes_are_equal(pairs: list[tuple[float, float]]) -> None:
    pictures = [scored(truth, score) for pair in pairs for truth, score in zip("cd", pair, strict=True)]

    figures = measure(pictures, threshold=0.5)

    assert figures.accuracy is not None
    assert figures.balanced_accuracy == pytest.approx(figures.accuracy.value)


def test_the_degree_of_dirt_is_ranked_where_it_is_known() -> None:
    degrees = {0.1: 0.2, 1.0: 0.4, 9.0: 0.3}
    pictures = [
        Scored(name="duct", dirty=grams > 2, score=score, label=Label.CANNOT_TELL, degree=grams)
        for grams, score in degrees.items()
    ]

    assert measure(pictures, threshold=0.5).spearman == pytest.approx(0.5)


def test_latency_is_of_pictures_that_reached_the_network_and_a_time_that_did_occur() -> None:
    found = latency([ms * 1_000_000 for ms in range(1, 201)])
    figures = measure([scored("c", 0.1, took_ns=3_000_000), scored("c", 0.1, reasons=(Reason.DARK,))], threshold=0.5)

    assert found is not None
    assert (found.p50_ms, found.p99_ms) == (100, 198)
    assert figures.latency is not None
    assert (figures.latency.p99_ms, figures.latency.pictures) == (3, 1)
