"""What `ductwatch model data` says: a table for people, one object for programs. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from model.training.data.decisions import that_do_not_count
from model.training.data.examination import Examination
from model.training.data.findings import ADVICE, Finding, by_kind, pictures
from model.training.data.report_folder import SCHEMA
from model.training.data.suspects import FEWEST_GROUPS
from model.types import Label

NAMED = 3  # findings of a kind in the table; all are in the report
AT_ONCE = 4  # names in a line
DOUBTFUL = 0.85  # agreement below which most doubts are wrong: see `suspects.mislabelled`


def table(data: str, examination: Examination) -> Iterator[str]:
    """Lines: how many pictures, then the findings, kind by kind."""
    yield f"{data}: {_counts(examination)}"
    if examination.applied.decided:
        choices = Counter(choice.value for choice in examination.applied.decided.values())
        yield f"decided before: {', '.join(f'{count:,} {choice}' for choice, count in choices.items())}"
    sections = by_kind(examination.audit.findings)
    if not sections:
        yield "Nothing was found that would mislead a training."
    for kind, findings in sections.items():
        mark = "LOOK" if ADVICE[kind].needs_person else "note"
        yield f"  {mark}  {kind.value:<22}{_extent(findings)}".rstrip()
        yield from (f"          {_line(finding)}" for finding in findings[:NAMED])
        if len(findings) > NAMED:
            yield f"          and {len(findings) - NAMED:,} more"


def document(data: str, examination: Examination, notes: Sequence[str]) -> dict[str, Any]:
    """The object of --json, and of the report's findings.json."""
    labels = _labels(examination)
    return {
        "schema": SCHEMA,
        "data": data,
        "pictures": len(examination.seen),
        "usable": {"clean": labels[Label.CLEAN], "dirty": labels[Label.DIRTY]},
        "groups": len(set(examination.audit.group.values())),
        "decided": {name: choice.value for name, choice in examination.applied.decided.items()},
        "decisions_that_do_not_count": list(examination.applied.stale),
        "agreement": examination.audit.agreement,
        "needs_person": examination.audit.needs_person,
        "not_looked_for": sorted(kind.value for kind in examination.audit.not_looked_for),
        "findings": [
            {
                "kind": finding.kind.value,
                "needs_person": ADVICE[finding.kind].needs_person,
                "pictures": list(finding.names),
                "why": finding.why,
                "suggestion": ADVICE[finding.kind].suggestion,
            }
            for finding in examination.audit.findings
        ],
        "notes": list(notes),
    }


def notes(examination: Examination, *, not_embedded: str) -> list[str]:
    """What a person must know to judge the findings. `not_embedded`: why there are no feature vectors, if so."""
    said = []
    if stale := examination.applied.stale:
        said.append(that_do_not_count(stale))
    agreement = examination.audit.agreement
    if not_embedded:
        said.append(f"Wrong labels and outliers were not looked for: {not_embedded}.")
    elif agreement is None:
        said.append(f"Wrong labels were not looked for: that takes {FEWEST_GROUPS} different things of each class.")
    else:
        trust = "most of its doubts are wrong" if agreement < DOUBTFUL else "many of its doubts are right"
        said.append(
            f"Labels are doubted by a network that knows no ducts, after learning from the other pictures. It agrees "
            f"with {agreement:.0%} of the labels, so {trust}."
        )
    return said


def _counts(examination: Examination) -> str:
    labels = _labels(examination)
    broken = sum(bool(one.problem) for one in examination.left)
    parts = [
        _number(len(examination.seen), "picture"),
        f"{labels[Label.CLEAN]:,} clean and {labels[Label.DIRTY]:,} dirty can be used",
        *([f"{broken:,} cannot"] if broken else []),
        f"{_number(len(set(examination.audit.group.values())), 'different thing')}",
    ]
    return ", ".join(parts)


def _labels(examination: Examination) -> Counter[Label]:
    return Counter(one.sample.label for one in examination.left if not one.problem)


def _extent(findings: Sequence[Finding]) -> str:
    count = pictures(findings)
    if not count:
        return ""
    groups = f" in {_number(len(findings), 'group')}" if len(findings) < count else ""
    return f"{_number(count, 'picture'):>17}{groups}"


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _line(finding: Finding) -> str:
    if not finding.names:
        return finding.why
    more = f", and {len(finding.names) - AT_ONCE:,} more" if len(finding.names) > AT_ONCE else ""
    return f"{', '.join(finding.names[:AT_ONCE])}{more}: {finding.why}"
