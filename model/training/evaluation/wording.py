"""The figures as lines for a terminal, with a reason where there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from model.training.evaluation.corrupt import STRENGTHS
from model.training.evaluation.degrade import Cell, Degradation
from model.training.evaluation.figures import Figures, Latency, Share
from model.types import Label, ModelId

MOST_NAMED = 20  # files that could not be read, by name


MARKEDLY = 0.8  # of the pictures: if there are fewer things on them, intervals are a tenth too narrow


def table(model: ModelId, figures: Figures, degradation: Degradation | None, groups: int | None = None) -> str:
    """`groups`: of pictures that look alike, where it is known."""
    lines = [
        f"{model.name} {model.version} on {figures.pictures} pictures ({figures.clean} clean, {figures.dirty} dirty)",
        "",
        *(f"  {row.name:<24}{row.value:>8}  {row.interval}".rstrip() for row in rows(figures)),
        "",
        *_confusion(figures),
        *_reasons(figures.reasons),
        *(f"  {sentence}" for sentence in alike(figures.pictures, groups)),
        *_unreadable(figures.unreadable),
        *(_degradation(degradation) if degradation is not None else ()),
    ]
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Row:
    """`value` is "-" where there is none, and `interval` then says why."""

    name: str
    value: str
    interval: str
    meaning: str


def rows(figures: Figures) -> Iterator[Row]:
    """In the order of a summary."""
    both, readable = "needs clean and dirty pictures", "needs pictures that can be read"
    if figures.clean and figures.dirty:
        both += " that can be read"
    no_clean, no_dirty = "there is no clean picture", "there is no dirty picture"
    forced = f"right, if it has to answer: DIRTY above a score of {figures.threshold:.2f}"
    yield _share("accuracy", figures.accuracy, "there is no picture", forced)
    yield _number("balanced accuracy", figures.balanced_accuracy, both, "mean of both recalls; guessing gives 0.5")
    yield _share("recall of clean", figures.recall_clean, no_clean, "of the clean ones, taken for clean")
    yield _share("recall of dirty", figures.recall_dirty, no_dirty, "of the dirty ones, taken for dirty")
    yield _number("AUC", figures.auc, both, "chance that a dirty one scores above a clean one; guessing gives 0.5")
    no_dirt_read = "no dirty picture can be read" if figures.dirty else no_dirty
    yield _number("average precision", figures.average_precision, no_dirt_read, "area under precision and recall")
    yield _calibration(figures, readable)
    yield _number("Brier score", figures.brier, readable, "mean square of score less truth; best is 0")
    if figures.spearman is not None:
        yield _number("rank correlation", figures.spearman, "", "whether dirtier ducts score higher; best is 1")
    yield _share("coverage", figures.coverage, "there is no picture", "a board says CLEAN or DIRTY, not CANNOT_TELL")
    yield _share("accuracy when it tells", figures.accuracy_told, "it never says CLEAN or DIRTY", "of those, right")
    yield _share("dirty called CLEAN", figures.clean_though_dirty, no_dirty, "the mistake that nobody sees")
    yield _latency("latency p50", figures.latency, lambda took: took.p50_ms, "half of the verdicts took no longer")
    yield _latency("latency p99", figures.latency, lambda took: took.p99_ms, "99 in 100 took no longer")


def alike(pictures: int, groups: int | None) -> Iterator[str]:
    """A sentence, if twins count as if each were by itself."""
    if groups is not None and groups < MARKEDLY * pictures:
        things = f"{groups} different things" if groups > 1 else "one thing"
        yield f"{pictures} pictures look like {things}: if they are, the intervals are too narrow"


def _share(name: str, share: Share | None, without: str, meaning: str) -> Row:
    if share is None:
        return Row(name, "-", without, meaning)
    return Row(name, f"{share.value:.3f}", f"{share.low:.3f} to {share.high:.3f} (95 %, of {share.of})", meaning)


def _number(name: str, number: float | None, without: str, meaning: str) -> Row:
    return Row(name, "-", without, meaning) if number is None else Row(name, f"{number:.3f}", "", meaning)


def _calibration(figures: Figures, without: str) -> Row:
    row = _number("calibration error", figures.calibration_error, without, "how far scores are from shares; best is 0")
    if figures.calibration_error_by_chance is None:
        return row
    by_chance = figures.calibration_error_by_chance
    return replace(row, interval=f"of so many, perfect scores would get {by_chance:.3f} by chance")


def _latency(name: str, latency: Latency | None, choose: Callable[[Latency], float], meaning: str) -> Row:
    if latency is None:
        return Row(name, "-", "no picture was fit to be judged", meaning)
    return Row(name, f"{choose(latency):.1f} ms", "on this computer, not on a board", meaning)


def _confusion(figures: Figures) -> Iterator[str]:
    yield f"  {'':<15}" + "".join(f"{'said ' + label.value:>17}" for label in Label)
    for truth, said in figures.confusion.items():
        yield f"  {'is ' + truth:<15}" + "".join(f"{said[label.value]:>17}" for label in Label)


def _reasons(reasons: Mapping[str, int]) -> Iterator[str]:
    if reasons:
        yield "  CANNOT_TELL because: " + ", ".join(f"{reason} {count}" for reason, count in reasons.items())


def _unreadable(names: tuple[str, ...]) -> Iterator[str]:
    if names:
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        yield f"  not readable, and counted as wrong: {', '.join(names[:MOST_NAMED])}{more}"


def _degradation(degradation: Degradation) -> Iterator[str]:
    yield ""
    yield f"  Spoilt ({degradation.pictures} of the pictures): accuracy of those it judges (and what share that is)"
    yield f"  {'strength':<15}" + "".join(f"{strength:>14}" for strength in STRENGTHS) + "  dirty called CLEAN, at most"
    for name, cells in {"not spoilt": (degradation.unspoilt,), **degradation.cells}.items():
        judged = "".join(f"{_judged(cell):>14}" for cell in cells)
        yield f"  {name:<15}{judged:<{14 * len(STRENGTHS)}}  {_unseen(cells)}"
    yield f"  all that are spoilt: {in_all(degradation)}"


def in_all(degradation: Degradation) -> str:
    """Of all that were spoilt, in whatever way."""
    forced = f"if it has to answer, {_percent(degradation.mean_accuracy)} are right"
    if degradation.mean_accuracy_told is None:
        return f"it judges none of them; {forced}"
    told, coverage = _percent(degradation.mean_accuracy_told), _percent(degradation.mean_coverage)
    return f"it judges {coverage}, {told} of these rightly; {forced}"


def _judged(cell: Cell) -> str:
    if cell.accuracy_told is None or cell.coverage is None:
        return "-"
    share = "<1" if cell.coverage.value < 0.01 else f"{100 * cell.coverage.value:.0f}"
    return f"{cell.accuracy_told.value:.3f} ({share} %)"


def _unseen(cells: Sequence[Cell]) -> str:
    """At the strength that hides most dirt."""
    shares = [cell.clean_though_dirty.value for cell in cells if cell.clean_though_dirty is not None]
    if not shares:
        return "-"
    return _percent(max(shares)) if max(shares) else "none"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
