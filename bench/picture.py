"""All results of a folder as one picture: a panel for each benchmark, a mark for each goal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.results import Chart, Document
from bench.table import figure

COLUMNS = 2
PANEL_IN, BAR_IN, HEADROOM_IN = 7.6, 0.27, 0.95
MET, MISSED, OTHER, GOAL = "#2f7d5b", "#c4442f", "#8aa0b4", "#22303c"
CURVES_IN = 4.6
DPI = 80
MARKS = " · marks are goals"


def draw(documents: Sequence[Document], path: Path) -> None:
    """Write a PNG. One without a single result would be empty: then nothing is written."""
    if not documents:
        return
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    rows = [documents[start : start + COLUMNS] for start in range(0, len(documents), COLUMNS)]
    heights = [max(HEADROOM_IN + BAR_IN * len(document.result.chart.bars) for document in row) for row in rows]
    grid, all_axes = plt.subplots(
        len(rows),
        COLUMNS,
        figsize=(PANEL_IN * COLUMNS, sum(heights) + 0.5),
        height_ratios=heights,
        squeeze=False,
        layout="constrained",
    )
    panels = [axes for row in all_axes for axes in row]
    for axes, document in zip(panels, documents, strict=False):
        _panel(axes, document)
    for axes in panels[len(documents) :]:
        axes.set_axis_off()
    grid.text(0.005, 0.002, footer(documents), fontsize=8, va="bottom")
    grid.get_layout_engine().set(rect=(0, 0.03, 1, 0.97))
    grid.savefig(path, dpi=DPI)
    plt.close(grid)


def draw_curves(document: Document, path: Path) -> None:
    """Write a PNG, a panel for each unit, both axes logarithmic. Of a result without curves nothing is written."""
    wanted = document.result.curves
    if wanted is None:
        return
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    units = list(dict.fromkeys(curve.unit for curve in wanted.curves))
    size = (CURVES_IN * len(units), CURVES_IN)
    picture, all_axes = plt.subplots(1, len(units), figsize=size, squeeze=False, layout="constrained")
    for axes, unit in zip(all_axes[0], units, strict=True):
        for curve in (curve for curve in wanted.curves if curve.unit == unit):
            along, values = zip(*curve.points, strict=True)
            axes.plot(along, values, marker="o", label=curve.label)
        axes.set(xscale="log", yscale="log", xlabel=wanted.along)
        axes.set_title(unit, fontsize=10, loc="left")
        axes.grid(visible=True, alpha=0.3)
        axes.legend(fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    picture.suptitle(document.result.title, fontsize=11, fontweight="bold")
    picture.text(0.005, 0.002, footer([document]).removesuffix(MARKS), fontsize=7, va="bottom")
    picture.get_layout_engine().set(rect=(0, 0.04, 1, 0.96))
    picture.savefig(path, dpi=DPI)
    plt.close(picture)


def footer(documents: Sequence[Document]) -> str:
    """The machines and days that the results come from, and what the marks mean."""
    where = sorted({f"{document.machine.line}, {document.day}" for document in documents})
    return " · ".join(where) + MARKS


def _panel(axes: Any, document: Document) -> None:
    chart = document.result.chart
    places = range(len(chart.bars))
    axes.barh(places, [bar.value for bar in chart.bars], color=_colours(chart), height=0.66)
    for place, bar in zip(places, chart.bars, strict=True):
        end = max(bar.value, bar.at_most or 0)
        axes.annotate(
            figure(bar.value), (end, place), xytext=(5, 0), textcoords="offset points", va="center", fontsize=8
        )
        if bar.at_most is not None:
            axes.plot([bar.at_most] * 2, [place - 0.45, place + 0.45], color=GOAL, linewidth=2.5)
    axes.set_yticks(places, [bar.label for bar in chart.bars], fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    if chart.logarithmic:
        axes.set_xscale("log")
        axes.set_xlim(left=min(bar.value for bar in chart.bars) / 2)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter("")
    axes.tick_params(axis="x", labelsize=8)
    axes.set_xlabel(chart.unit, fontsize=8)
    axes.set_title(document.result.title, fontsize=10, loc="left", fontweight="bold")
    axes.spines[["top", "right"]].set_visible(False)


def _colours(chart: Chart) -> list[str]:
    return [
        OTHER
        if bar.at_most is None
        else MET
        if bar.value <= bar.at_most
        else MISSED  # colour tells goals from the rest
        for bar in chart.bars
    ]
