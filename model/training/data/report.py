"""The page that a person decides on: every finding with its pictures, and all pictures. Pure: facts in, HTML out."""

from __future__ import annotations

import html
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from shlex import quote
from typing import Any

from model.training.data.audit import Audit
from model.training.data.decisions import Choice, Decision, as_entry
from model.training.data.findings import ADVICE, Finding, Kind, by_kind, pictures
from model.training.data.looking import Seen
from model.training.page import page

BULK = {
    Kind.MISSING: "all",
    Kind.UNREADABLE: "all",
    Kind.CONTRADICTION: "keep",
    Kind.ACROSS: "train",
    Kind.EXACT: "rest",
    Kind.NEAR: "rest",
}
"""What one click can do, in the words of report.js: where no picture needs to be looked at by itself."""


HINT = """A click on a picture opens the file. Keys: <kbd>k</kbd> keep, <kbd>x</kbd> exclude, <kbd>c</kbd> clean,
<kbd>d</kbd> dirty, <kbd>←</kbd> <kbd>→</kbd> the picture before and after."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A picture on the page: where its thumbnail and its file are, as links from the page. Empty: there is none."""

    seen: Seen
    thumbnail: str
    original: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`data`: what the user calls it. `place`: where its decisions belong. `notes`: what to know of the findings."""

    data: str
    place: str
    pictures: Sequence[Shown]
    audit: Audit
    decisions: Mapping[str, Decision]
    decided: Mapping[str, Choice]
    notes: Sequence[str]


def render(report: Report) -> str:
    """The document. It needs the thumbnails beside it, and no server."""
    sections = by_kind(report.audit.findings)
    body = "".join(
        [
            f"<style>{_asset('report.css')}</style>",
            _summary(report),
            _overview(sections),
            _absent(sections, report.audit.not_looked_for),
            *(_section(kind, findings) for kind, findings in sections.items()),
            _everything(len(report.pictures)),
            _bar(report),
            f'<script type="application/json" id="data">{_embedded(_data(report, sections))}</script>',
        ]
    )
    return page(
        f"{report.data.rstrip('/').rpartition('/')[2]}: what would mislead a training", body, script=_asset("report.js")
    )


def _summary(report: Report) -> str:
    left = [one.seen for one in report.pictures if report.decided.get(one.seen.sample.name) is not Choice.EXCLUDE]
    broken = sum(bool(seen.problem) for seen in left)
    parts = [f"<b>{len(report.pictures):,}</b> pictures"]
    if excluded := len(report.pictures) - len(left):
        parts.append(f"<b>{excluded:,}</b> excluded before")
    if broken:
        parts.append(f"<b>{broken:,}</b> that cannot be used")
    groups = len(set(report.audit.group.values()))
    parts.append(f"<b>{len(left) - broken:,}</b> to learn from, of <b>{groups:,}</b> different things")
    sentence = f"<p>{', '.join(parts)}. {HINT}</p>"
    return sentence + "".join(f'<p class="note">{html.escape(note)}</p>' for note in report.notes)


def _overview(sections: Mapping[Kind, Sequence[Finding]]) -> str:
    if not sections:
        return "<p>Nothing was found.</p>"
    rows = "".join(
        f'<tr class="{"person" if ADVICE[kind].needs_person else "note"}">'
        f'<td><a href="#{_anchor(kind)}">{kind.value}</a></td>'
        f'<td class="number">{pictures(findings) or ""}</td><td class="number" data-decided="{number}"></td>'
        f"<td>{html.escape(ADVICE[kind].suggestion)}</td></tr>"
        for number, (kind, findings) in enumerate(sections.items())
    )
    return (
        f"<table><thead><tr><th>found</th><th>pictures</th><th>decided</th><th>what to do</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )


def _absent(sections: Mapping[Kind, Sequence[Finding]], not_looked_for: Collection[Kind]) -> str:
    none = ", ".join(kind.value for kind in Kind if kind not in sections and kind not in not_looked_for)
    return f'<p class="note">Looked for and not found: {none}.</p>' if none else ""


def _section(kind: Kind, findings: Sequence[Finding]) -> str:
    advice = ADVICE[kind]
    where = "" if pictures(findings) else f"<p><b>{html.escape(findings[0].why)}</b></p>"
    return (
        f'<section id="{_anchor(kind)}"><h2>{kind.value.capitalize()}</h2>'
        f"<p>{html.escape(advice.meaning)} {html.escape(advice.suggestion)}</p>{where}<div class=cards></div></section>"
    )


def _everything(total: int) -> str:
    options = "".join(f"<option>{name}</option>" for name in ("all", "clean", "dirty", "decided", "excluded"))
    return (
        f'<section id="all"><h2>All {total:,} pictures</h2><p><label>show <select id="filter">{options}</select>'
        '</label> <label>whose name has <input id="search" type="search" size="20"></label></p>'
        "<div class=cards></div></section>"
    )


def _bar(report: Report) -> str:
    command = f"ductwatch model data {quote(report.data)} --decisions {quote(report.place.rpartition('/')[2])}"
    return (
        '<footer><output id="count"></output><button id="save" type="button">save decisions</button>'
        f'<p id="told">Kept in this browser until you save them. Then move the saved file to '
        f"<code>{html.escape(report.place)}</code>, or run "
        f"<code>{html.escape(command)}</code></p></footer>"
    )


def _data(report: Report, sections: Mapping[Kind, Sequence[Finding]]) -> dict[str, Any]:
    place = {one.seen.sample.name: number for number, one in enumerate(report.pictures)}
    return {
        "key": f"ductwatch.decisions:{report.place}",
        "file": report.place.rpartition("/")[2],
        "pictures": [_picture(one) for one in report.pictures],
        "decisions": [as_entry(one) for one in report.decisions.values()],
        "sections": [
            {
                "id": _anchor(kind),
                "bulk": BULK.get(kind, ""),
                "findings": [
                    {"why": finding.why, "pictures": [place[name] for name in finding.names]} for finding in findings
                ],
            }
            for kind, findings in sections.items()
        ],
    }


def _picture(shown: Shown) -> dict[str, Any]:
    seen = shown.seen
    return {
        "name": seen.sample.name,
        "sha256": seen.sha256,
        "label": seen.sample.label.value.lower(),
        "split": seen.sample.split.value,
        "size": f"{seen.width} × {seen.height}" if seen.width else "",
        "problem": seen.problem,
        "thumbnail": shown.thumbnail,
        "original": shown.original,
    }


def _anchor(kind: Kind) -> str:
    return kind.name.lower()


def _embedded(document: Mapping[str, Any]) -> str:
    """JSON that cannot end the element it is in (HTML standard, 4.12.1.3), of ASCII: names may hold any bytes."""
    return json.dumps(document, separators=(",", ":")).replace("<", "\\u003c")


def _asset(name: str) -> str:
    return resources.files("model.training.data").joinpath(name).read_text(encoding="utf-8")
