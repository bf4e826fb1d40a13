"""Curves as SVG for a page, readable on light and dark. The one door of matplotlib."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from model.training.evaluation.curves import Bin, PrecisionRecall
from model.training.evaluation.degrade import Degradation
from model.training.evaluation.figures import Share, wilson

Numbers = npt.NDArray[np.float64]

INK = "#010203"  # stands for the page's own colour of text, which takes its place
CLEAN, DIRTY = "#2f8fd0", "#d9822b"  # told apart by the colour-blind too, and on light as on dark
FAINT = 0.35  # opacity of what is only there to compare with
SIZE_IN = (5.2, 3.6)
STYLE = {
    "svg.fonttype": "none",  # text stays text, in the page's font
    "svg.hashsalt": "ductwatch",  # the same picture each time
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "figure.facecolor": "none",
}
LATENCY_BARS = 40
SCORE_BARS = 25


def scores(clean: Numbers, dirty: Numbers, clean_below: float, dirty_above: float) -> str:
    """How often each score came, for both truths, and between which of them the model says CANNOT_TELL."""
    with mpl.rc_context(STYLE):
        figure, axes = _axes("score (0 clean, 1 dirty)", "pictures")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        edges = np.linspace(0, 1, SCORE_BARS + 1)
        for values, colour, name in ((clean, CLEAN, "is clean"), (dirty, DIRTY, "is dirty")):
            axes.hist(values, edges, color=colour, alpha=0.25)
            axes.hist(values, edges, color=colour, histtype="step", linewidth=1.8, label=f"{name} ({len(values)})")
        axes.axvspan(clean_below, dirty_above, color=INK, alpha=0.08, linewidth=0, label="says CANNOT_TELL")
        axes.set_xlim(0, 1)
        _legend(axes)
        return _svg(figure, "how often each score came, for clean and for dirty pictures")


def reliability(bins: Sequence[Bin]) -> str:
    """Mean score against the share that is dirty, with 95 % intervals: on the diagonal scores can be believed."""
    with mpl.rc_context(STYLE):
        figure, axes = _axes("mean score", "share that is dirty")
        axes.plot([0, 1], [0, 1], color=INK, alpha=FAINT, linewidth=1, linestyle="--", label="scores that are honest")
        shares = [(each.score, share) for each in bins if (share := wilson(each.dirty, each.pictures)) is not None]
        x, y = [score for score, _ in shares], [share.value for _, share in shares]
        spread = [[share.value - share.low for _, share in shares], [share.high - share.value for _, share in shares]]
        axes.errorbar(
            x, y, spread, color=CLEAN, marker="o", markersize=4, linewidth=1.6, elinewidth=1, label="this model"
        )
        _unit_square(axes)
        _legend(axes)
        return _svg(figure, "reliability: mean score against the share that is dirty")


def precision_recall(curve: PrecisionRecall, dirty_share: float) -> str:
    with mpl.rc_context(STYLE):
        figure, axes = _axes("recall", "precision")
        axes.axhline(dirty_share, color=INK, alpha=FAINT, linewidth=1, linestyle="--", label="by chance")
        x, y = np.append(0, curve.recall), np.append(curve.precision[0], curve.precision)
        axes.step(x, y, where="pre", color=DIRTY, linewidth=1.8, label="this model")
        _unit_square(axes)
        _legend(axes)
        return _svg(figure, "precision against recall")


def latencies(milliseconds: Numbers, p50_ms: float, p99_ms: float) -> str:
    with mpl.rc_context(STYLE):
        figure, axes = _axes("from JPEG to verdict, ms", "pictures")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        edges = np.geomspace(milliseconds.min() * 0.99, milliseconds.max() * 1.01, LATENCY_BARS + 1)
        axes.hist(milliseconds, edges, color=CLEAN, alpha=0.8)
        axes.set_xscale("log")
        for value, name, dashes in ((p50_ms, "p50", "-"), (p99_ms, "p99", "--")):
            axes.axvline(value, color=INK, linewidth=1.2, linestyle=dashes, label=f"{name} {value:.1f} ms")
        wide = milliseconds.max() > 10 * milliseconds.min()
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if wide else (1, 1.2, 1.5, 2, 3, 5, 7)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_locator(NullLocator())
        _legend(axes)
        return _svg(figure, "how long the verdicts took")


def learning(losses: Numbers, line: Numbers) -> str:
    """A training's loss of each step, and a `line` through them."""
    with mpl.rc_context(STYLE):
        figure, axes = _axes("step", "loss")
        steps = np.arange(1, len(losses) + 1)
        axes.plot(steps, losses, color=CLEAN, alpha=FAINT, linewidth=0.6, label="each step")
        axes.plot(steps, line, color=CLEAN, linewidth=1.8, label="about fifty steps")
        axes.set_ylim(0, 1.5 * line.max())
        _legend(axes)
        return _svg(figure, "how the loss fell, step by step")


def degradation(found: Degradation) -> str:
    """A small chart for each corruption, from no strength to five: how rightly it judges, how much, and unseen dirt."""
    lines = (
        ("accuracy_told", CLEAN, "-", "accuracy of those that it judges"),
        ("coverage", INK, ":", "share that it judges"),
        ("clean_though_dirty", DIRTY, "-", "dirty called CLEAN"),
    )
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(11, 8), layout=ConstrainedLayoutEngine(hspace=0.06, wspace=0.05))
        panels = figure.subplots(3, 3, sharex=True, sharey=True)
        for axes, (name, cells) in zip(panels.flat, found.cells.items(), strict=True):
            for field, colour, dashes, title in lines:
                values = _values([getattr(cell, field) for cell in (found.unspoilt, *cells)])
                axes.plot(range(6), values, color=colour, linestyle=dashes, marker="o", markersize=3, label=title)
            axes.set_title(name, fontsize=11, loc="left")
            axes.grid(visible=True, axis="y", color=INK, alpha=0.12, linewidth=0.8)
        panels[0, 0].set_ylim(-0.03, 1.03)
        panels[0, 0].set_xticks(range(6), ["none", "1", "2", "3", "4", "5"])
        handles, names = panels[0, 0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside upper left", ncols=len(lines))
        return _svg(figure, "accuracy of what it judges, its share, and unseen dirt by kind and strength of corruption")


def _values(shares: Sequence[Share | None]) -> list[float]:
    """matplotlib leaves a gap where there is no number."""
    return [float("nan") if share is None else share.value for share in shares]


def _axes(across: str, up: str) -> tuple[Figure, Any]:
    figure = Figure(figsize=SIZE_IN, layout="constrained")
    axes = figure.subplots()
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.grid(visible=True, axis="y", color=INK, alpha=0.12, linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def _unit_square(axes: Any) -> None:
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)


def _legend(axes: Any) -> None:
    axes.legend(loc="upper left", bbox_to_anchor=(0, 1.16), ncols=3, fontsize=9, borderaxespad=0, handlelength=1.6)


def _svg(figure: Figure, says: str) -> str:
    """The <svg> element alone, with the page's colour for text and its size in its own hands."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata=_NO_METADATA)
    element = buffer.getvalue()
    element = element[element.index("<svg") :].replace(INK, "currentColor")
    return re.sub(r"<svg ", f'<svg role="img" aria-label="{says}" ', element, count=1)


_NO_METADATA: Mapping[str, None] = {"Date": None, "Creator": None, "Format": None, "Type": None}
