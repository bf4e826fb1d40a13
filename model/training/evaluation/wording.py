"""The figures as lines for a terminal, with a reason where there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from model.training.evaluation.degrade import Cell, Degradation
from model.training.evaluation.figures import Figures, Latency, Share
from model.types import Label, ModelId

MOST_NAMED = 20  # files that could not be read, by name


def table(model: ModelId, figures: Figures, degradation: Degradation | None) -> str:
    lines = [
        f"{model.name} {model.version} on {figures.pictures} pictures ({figures.clean} clean, {figures.dirty} dirty)",
        "",
        *(f"  {row.name:<24}{row.value:>8}  {row.interval}".rstrip() for row in rows(figures)),
        "",
        *_confusion(figures),
        *_reasons(figures.reasons),
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
    no_clean, no_dirty = "there is no clean picture", "there is no dirty picture"
    forced = f"right, if it has to answer: DIRTY above a score of {figures.threshold:.2f}"
    yield _share("accuracy", figures.accuracy, "there is no picture", forced)
    yield _number("balanced accuracy", figures.balanced_accuracy, both, "mean of both recalls; guessing gives 0.5")
    yield _share("recall of clean", figures.recall_clean, no_clean, "of the clean ones, taken for clean")
    yield _share("recall of dirty", figures.recall_dirty, no_dirty, "of the dirty ones, taken for dirty")
    yield _number("AUC", figures.auc, both, "chance that a dirty one scores above a clean one; guessing gives 0.5")
    yield _number("average precision", figures.average_precision, no_dirty, "area under precision and recall")
    yield _number("calibration error", figures.calibration_error, readable, "how far scores are from shares; best is 0")
    yield _number("Brier score", figures.brier, readable, "mean square of score less truth; best is 0")
    if figures.spearman is not None:
        yield _number("rank correlation", figures.spearman, "", "whether dirtier ducts score higher; best is 1")
    yield _share("coverage", figures.coverage, "there is no picture", "a board says CLEAN or DIRTY, not CANNOT_TELL")
    yield _share("accuracy when it tells", figures.accuracy_told, "it never says CLEAN or DIRTY", "of those, right")
    yield _share("dirty called CLEAN", figures.clean_though_dirty, no_dirty, "the mistake that nobody sees")
    yield _latency("latency p50", figures.latency, lambda took: took.p50_ms, "half of the verdicts took no longer")
    yield _latency("latency p99", figures.latency, lambda took: took.p99_ms, "99 in 100 took no longer")


def _share(name: str, share: Share | None, without: str, meaning: str) -> Row:
    if share is None:
        return Row(name, "-", without, meaning)
    return Row(name, f"{share.value:.3f}", f"{share.low:.3f} to {share.high:.3f} (95 %, of {share.of})", meaning)


def _number(name: str, number: float | None, without: str, meaning: str) -> Row:
    return Row(name, "-", without, meaning) if number is None else Row(name, f"{number:.3f}", "", meaning)


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
    yield f"  Spoilt ({degradation.pictures} of the pictures): accuracy / coverage / dirty called CLEAN"
    yield f"  {'strength':<15}" + "".join(f"{strength:>20}" for strength in range(1, 6))
    for name, cells in degradation.cells.items():
        yield f"  {name:<15}" + "".join(f"{_cell(cell):>20}" for cell in cells)
    yield f"  not spoilt: {_cell(degradation.unspoilt)}; mean accuracy of all that are: {degradation.mean_accuracy:.3f}"


def _cell(cell: Cell) -> str:
    shares = (cell.accuracy, cell.coverage, cell.clean_though_dirty)
    return " / ".join("-" if share is None else f"{share.value:.2f}" for share in shares)
