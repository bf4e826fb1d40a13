"""`ductwatch model compare`: says whether one model is better than another, and how sure that is."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import numpy as np

from model.classifier import Classifier
from model.training.data.asked import found_by
from model.training.evaluation.alike import groups_of
from model.training.evaluation.command import require_readable, samples_of, score_all
from model.training.evaluation.figures import Figures, measure, value_of
from model.training.evaluation.paired import ALPHA, Comparison, Difference, Groups, Outcome, compare
from model.training.evaluation.scores import Scored, forced_threshold
from model.training.evaluation.smoothed import smoothed

EX_WORSE = 1


def main(arguments: Namespace, *, a: Classifier, b: Classifier) -> int:
    """Print a table or JSON; 1 if B is worse. Raises `ModelError` where there is nothing to compare on."""
    samples = samples_of(found_by(arguments), arguments, {arguments.a: a, arguments.b: b})
    scored = []
    for classifier in (a, b):
        scored.append(score_all(classifier, samples))
        require_readable(samples, scored[-1])
    thresholds = [forced_threshold(classifier.manifest) for classifier in (a, b)]
    figures = [measure(each, threshold) for each, threshold in zip(scored, thresholds, strict=True)]
    comparison = compare_scored(scored, thresholds, None if arguments.each_counts else groups_of(samples))
    if arguments.json:
        document = {
            "schema": "ductwatch.comparison/1",
            "a": {"model": asdict(a.model), "figures": asdict(figures[0])},
            "b": {"model": asdict(b.model), "figures": asdict(figures[1])},
            "comparison": asdict(comparison) | {"outcome": comparison.outcome.value},
        }
        print(json.dumps(document, allow_nan=False))
    else:
        print(f"A  {a.model.name} {a.model.version}  {arguments.a}")
        print(f"B  {b.model.name} {b.model.version}  {arguments.b}")
        print("\n".join(_table(figures, comparison)))
        print(f"\n{verdict(comparison)}")
    return EX_WORSE if comparison.outcome is Outcome.WORSE else 0


def compare_scored(
    scored: Sequence[Sequence[Scored]], thresholds: Sequence[float], twins: Groups | None = None
) -> Comparison:
    """Two models' scores of the same pictures in the same order. `twins` (n,): equal numbers for these."""
    a_right, b_right = (
        np.array([each.is_right(threshold) for each in of_one], bool)
        for of_one, threshold in zip(scored, thresholds, strict=True)
    )
    dirty = np.array([each.dirty for each in scored[0]], bool)
    return compare(dirty, a_right, b_right, twins, interval=smoothed)


def verdict(comparison: Comparison) -> str:
    """One sentence, or two."""
    pictures = f"{comparison.pictures} pictures"
    if comparison.outcome is not Outcome.CANNOT_TELL:
        return f"B is {comparison.outcome.value} than A, as far as these {pictures} show."
    unknown = f"Which of them is better cannot be told with {pictures}"
    if not comparison.only_a_right and not comparison.only_b_right:
        return f"{unknown}: they answer alike on all of them."
    if comparison.pictures_needed is None:
        return f"{unknown}: each is right where the other is wrong equally often."
    if comparison.pictures_needed <= comparison.pictures:
        twins = comparison.p_value >= ALPHA
        why = "too many of them are twins" if twins else "test, interval and balanced accuracy do not agree"
        return f"{unknown}: {why}."
    like_these = "like these" if comparison.groups == comparison.pictures else "like these, but no twins,"
    return (
        f"{unknown}. If {comparison.accuracy.value:+.3f} is the true difference, about {comparison.pictures_needed} "
        f"pictures {like_these} would show it, four times in five."
    )


def _table(figures: Sequence[Figures], comparison: Comparison) -> Iterator[str]:
    first, second = figures
    alone = comparison.groups == comparison.pictures
    twins = "" if alone else f", twins together in {comparison.groups} groups"
    test = "McNemar's exact test" if alone else "exact sign test of the groups"
    yield f"\n  {first.pictures} pictures ({first.clean} clean, {first.dirty} dirty){twins}"
    yield f"\n  {'':<24}{'A':>8}{'B':>8}   B less A (95 %)"
    rows = (
        ("accuracy", value_of(first.accuracy), value_of(second.accuracy), comparison.accuracy),
        ("balanced accuracy", first.balanced_accuracy, second.balanced_accuracy, comparison.balanced_accuracy),
        ("recall of clean", value_of(first.recall_clean), value_of(second.recall_clean), None),
        ("recall of dirty", value_of(first.recall_dirty), value_of(second.recall_dirty), None),
        ("AUC", first.auc, second.auc, None),
        ("coverage", value_of(first.coverage), value_of(second.coverage), None),
        ("accuracy when it tells", value_of(first.accuracy_told), value_of(second.accuracy_told), None),
    )
    for name, of_a, of_b, difference in rows:
        yield f"  {name:<24}{_number(of_a):>8}{_number(of_b):>8}   {_difference(difference)}".rstrip()
    yield (
        f"\n  right alone: A on {comparison.only_a_right} pictures, B on {comparison.only_b_right}; "
        f"p = {comparison.p_value:.2g} ({test}, two-sided)"
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _difference(difference: Difference | None) -> str:
    return "" if difference is None else f"{difference.value:+.3f}  {difference.low:+.3f} to {difference.high:+.3f}"
