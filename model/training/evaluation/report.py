"""The page of an evaluation: what the figures are, where the model fails, and the pictures that it fails on."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from drivers.camera.jpeg import encode_jpeg
from model.classifier import Classifier
from model.errors import Unreadable
from model.training.data.pictures import Rgb, open_picture
from model.training.data.samples import Sample
from model.training.evaluation import charts
from model.training.evaluation.curves import bins_for, precision_recall, reliability
from model.training.evaluation.degrade import SHEET_STRENGTHS, Degradation, contact_sheet
from model.training.evaluation.figures import NS_PER_MS, Figures
from model.training.evaluation.frames import read_jpeg
from model.training.evaluation.scores import Scored
from model.training.evaluation.wording import alike, in_all, rows
from model.training.page import MEASURED, inline, page
from model.types import Label

MOST_MISTAKES = 24  # of each of the two kinds
MOST_UNREADABLE = 200
THUMBNAIL_PX = 352  # twice what is shown, for fine screens
STYLE = """<style>
svg { width: 100% }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(26rem, 1fr)); gap: 1.5rem 2.5rem }
.charts h3 { font-size: 1rem; margin: 0 } .charts p, .note { margin: .2rem 0 .6rem; font-size: .85rem; opacity: .75 }
.lead { font-size: 1.15rem; max-width: 60rem }
.confusion td { text-align: right; min-width: 6rem; font-variant-numeric: tabular-nums }
.meaning { opacity: .75; font-size: .9rem } .pictures img { height: 8rem; object-fit: contain }
.unshown { height: 8rem; margin: 0; background: var(--soft); font-size: .8rem }
.right { background: #2f8fd033 } .wrong { background: #d9822b55 }
.sheet td, .sheet th { padding: .15rem; border: 0; font-size: .85rem }
.sheet img { width: 7.4rem; display: block; border-radius: .2rem }
figcaption b { font-variant-numeric: tabular-nums }
</style>"""


def report(
    classifier: Classifier,
    samples: Sequence[Sample],
    scored: Sequence[Scored],
    figures: Figures,
    degradation: Degradation | None,
    groups: int | None = None,
) -> str:
    """One HTML document with all in it. `samples` and `scored` are of the same pictures, in the same order; `groups` of
    them look alike each, where that is known."""
    parts = [
        STYLE,
        _lead(figures),
        _summary(figures, groups),
        _confusion(figures),
        _curves(classifier, scored, figures),
        *_mistakes(samples, scored, figures.threshold),
        _unreadable(figures),
        _degradation(degradation, samples),
    ]
    return page(f"{classifier.model.name} {classifier.model.version}{MEASURED}", "".join(parts))


def _lead(figures: Figures) -> str:
    pictures = f"{figures.pictures} pictures, {figures.clean} of them clean and {figures.dirty} dirty"
    if figures.accuracy is None or figures.coverage is None:
        return f'<p class="lead">Measured on {pictures}.</p>'
    told = figures.accuracy_told
    then = f", and is right in {told.value:.1%} of those" if told is not None else ""
    unseen = figures.clean_though_dirty
    quiet = f" Of the dirty ones it calls {unseen.value:.1%} CLEAN." if unseen is not None else ""
    return (
        f'<p class="lead">Of {pictures}, this model tells {figures.accuracy.value:.1%} right where it must answer '
        f"({figures.accuracy.low:.1%} to {figures.accuracy.high:.1%}). On a board it says CLEAN or DIRTY of "
        f"{figures.coverage.value:.1%}{then}.{quiet}</p>"
    )


def _summary(figures: Figures, groups: int | None) -> str:
    body = "".join(
        f'<tr><td>{row.name}</td><td class="number"><b>{row.value}</b></td><td>{row.interval}</td>'
        f'<td class="meaning">{row.meaning}</td></tr>'
        for row in rows(figures)
    )
    bins = bins_for(figures.pictures - len(figures.unreadable))
    twins = "".join(f"<p>{sentence}.</p>" for sentence in alike(figures.pictures, groups))
    return (
        f"<h2>Figures</h2><table>{body}</table>"
        '<p class="note">Down to the Brier score all pictures count, whatever the image checks say of them; below it is'
        " what a board says. Intervals hold for pictures that are independent: of many pictures of one duct they are"
        f" too narrow. Calibration error: {bins} bins of equal numbers.</p>{twins}"
    )


def _confusion(figures: Figures) -> str:
    head = "".join(f"<th>said {label.value}</th>" for label in Label)
    body = ""
    for truth, said in figures.confusion.items():
        cells = "".join(f'<td class="{_mark(truth, label)}">{said[label.value]}</td>' for label in Label)
        body += f"<tr><th>is {truth}</th>{cells}</tr>"
    reasons = ", ".join(f"{html.escape(reason)} {count}" for reason, count in figures.reasons.items())
    why = f'<p class="note">CANNOT_TELL because: {reasons}.</p>' if reasons else ""
    return f'<h2>What a board says</h2><table class="confusion"><tr><th></th>{head}</tr>{body}</table>{why}'


def _mark(truth: str, said: Label) -> str:
    return "" if said is Label.CANNOT_TELL else "right" if said.value == truth else "wrong"


def _curves(classifier: Classifier, scored: Sequence[Scored], figures: Figures) -> str:
    readable = [(each.dirty, each.score) for each in scored if each.score is not None]
    dirty = np.array([truth for truth, _ in readable], bool)
    score = np.array([score for _, score in readable], np.float64)
    thresholds = classifier.manifest.thresholds
    drawn = []
    if len(score):
        chart = charts.scores(score[~dirty], score[dirty], thresholds.clean_below, thresholds.dirty_above)
        drawn.append(("Scores", "A good model parts the two.", chart))
        chart = charts.reliability(reliability(dirty, score))
        drawn.append(
            ("Reliability", "Of pictures with a score of 0.8, eight in ten should be dirty, if half of all are.", chart)
        )
    curve = precision_recall(dirty, score)
    if curve is not None:
        chart = charts.precision_recall(curve, float(dirty.mean()))
        drawn.append(
            (
                "Precision and recall of dirt",
                "How much of the dirt is found, and how much of what is found is dirt.",
                chart,
            )
        )
    if figures.latency is not None:
        took = np.array([each.decode_ns + each.invoke_ns for each in scored if each.invoke_ns]) / NS_PER_MS
        chart = charts.latencies(took, figures.latency.p50_ms, figures.latency.p99_ms)
        drawn.append(("Latency", "On the computer that measured, not on a board.", chart))
    body = "".join(f"<div><h3>{title}</h3><p>{says}</p>{chart}</div>" for title, says, chart in drawn)
    return f'<h2>Curves</h2><div class="charts">{body}</div>' if drawn else ""


def _mistakes(samples: Sequence[Sample], scored: Sequence[Scored], threshold: float) -> Iterator[str]:
    """Dirt that is not seen before dirt that is not there."""
    wrong = [
        (abs(each.score - threshold), sample, each)
        for sample, each in zip(samples, scored, strict=True)
        if each.score is not None and not each.is_right(threshold)
    ]
    wrong.sort(key=lambda found: (not found[2].is_told, -found[0]))
    for title, dirty in (("Dirty, and taken for clean", True), ("Clean, and taken for dirty", False)):
        found = [(sample, each) for _, sample, each in wrong if each.dirty is dirty]
        if found:
            count = f"{MOST_MISTAKES} of {len(found)}" if len(found) > MOST_MISTAKES else f"All {len(found)}"
            shown = "".join(_figure(sample, each) for sample, each in found[:MOST_MISTAKES])
            yield (
                f'<h2>{title}</h2><p class="note">{count}, the surest first; those of which a board would say '
                f'CANNOT_TELL come last.</p><div class="pictures">{shown}</div>'
            )


def _figure(sample: Sample, each: Scored) -> str:
    try:
        source = inline(open_picture(read_jpeg(sample.path)).jpeg(THUMBNAIL_PX))
        shown = f'<img loading="lazy" alt="" src="{source}">'
    except Unreadable as error:  # Pillow and the board's decoder need not agree
        shown = f'<p class="unshown">cannot be shown: {html.escape(error.problem)}</p>'
    reasons = f" ({', '.join(reason.value for reason in each.reasons)})" if each.reasons else ""
    caption = f"<b>{each.score:.2f}</b> said {each.label.value}{reasons}<br>{html.escape(each.name)}"
    return f"<figure>{shown}<figcaption>{caption}</figcaption></figure>"


def _unreadable(figures: Figures) -> str:
    if not figures.unreadable:
        return ""
    names = "".join(f"<li>{html.escape(name)}</li>" for name in figures.unreadable[:MOST_UNREADABLE])
    more = len(figures.unreadable) - MOST_UNREADABLE
    return f"<h2>Not readable, and counted as wrong</h2><ul>{names}</ul>" + (
        f"<p>and {more} more</p>" if more > 0 else ""
    )


def _degradation(degradation: Degradation | None, samples: Sequence[Sample]) -> str:
    if degradation is None:
        return ""
    sheet = contact_sheet(samples)
    return (
        f'<h2>Spoilt pictures</h2><p class="note">{degradation.pictures} of the pictures, each spoilt in nine ways '
        f"at five strengths after ImageNet-C. Of all these {in_all(degradation)}. A model that knows its limits judges "
        "fewer, but those as rightly, and never calls dirt CLEAN.</p>"
        f"{charts.degradation(degradation)}{_sheet(*sheet) if sheet is not None else ''}"
    )


def _sheet(rgb: Rgb, spoilt: Mapping[str, tuple[Rgb, ...]]) -> str:
    names = "".join(f"<th>{name}</th>" for name in spoilt)
    body = ""
    for strength, pictures in zip(SHEET_STRENGTHS, zip(*spoilt.values(), strict=True), strict=True):
        body += f"<tr><th>{strength}</th>{''.join(f'<td>{_image(picture)}</td>' for picture in pictures)}</tr>"
    return (
        f"<h3>One of them, not spoilt and at strengths {', '.join(map(str, SHEET_STRENGTHS))}</h3>"
        f'<table class="sheet"><tr><th></th><td>{_image(rgb)}</td></tr><tr><th></th>{names}</tr>{body}</table>'
    )


def _image(rgb: Rgb) -> str:
    return f'<img loading="lazy" alt="" src="{inline(encode_jpeg(rgb[::2, ::2]))}">'
