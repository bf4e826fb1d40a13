"""The kinds of things that mislead a training, and what a person is told of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

FEWEST = 50  # of a class: a fifth of it measures the model, and 9 of 10 right may be 56 or 99 in 100 (Clopper-Pearson)
MOST_UNLIKE = 4  # times as many of one class as of the other


class Kind(Enum):
    MISSING = "missing"
    UNREADABLE = "unreadable"
    TOO_FEW = "too few"
    CONTRADICTION = "contradictory labels"
    ACROSS = "twins across splits"
    MISLABELLED = "likely mislabelled"
    OUTLIER = "outliers"
    EXACT = "exact twins"
    NEAR = "near twins"
    IMBALANCE = "imbalance"


BROKEN = frozenset({Kind.MISSING, Kind.UNREADABLE})
"""Nobody can use these pictures, whatever a person says."""


@dataclass(frozen=True, slots=True)
class Advice:
    """`needs_person`: a training would be misled. Without, it copes, and a person may still want to know."""

    meaning: str
    suggestion: str
    needs_person: bool = True


ADVICE = {
    Kind.MISSING: Advice(
        "Files that a manifest names, or that a link leads to, and that are not there.",
        "Copy them, or say where they are with --map. Or exclude them.",
    ),
    Kind.UNREADABLE: Advice(
        "Files that cannot be used as they are.",
        "Save the picture anew, or exclude it.",
    ),
    Kind.TOO_FEW: Advice(
        f"Fewer than {FEWEST} usable pictures of a class: nothing reliable is learned from them, nor measured on them.",
        "Add pictures, of many ducts and days.",
    ),
    Kind.CONTRADICTION: Advice(
        "The same picture, or nearly so, labelled clean here and dirty there.",
        "Give them the label that is right. If the duct was cleaned in between, keep them all.",
    ),
    Kind.ACROSS: Advice(
        "Pictures of the same thing in train and in test: a model that knows one by heart is right on the other.",
        "Exclude those in one of the two.",
    ),
    Kind.MISLABELLED: Advice(
        "All other pictures together say that the label is another.",
        "Look, and relabel where they are right. Keep what is right as it is: it is not asked about again.",
    ),
    Kind.OUTLIER: Advice(
        "Pictures that look like no other: another place, a hand before the lens, a picture from elsewhere.",
        "Exclude what a camera in a duct would never see. Keep what is rare but true.",
    ),
    Kind.EXACT: Advice(
        "The same file more than once. A training keeps all of them on one side of a split, and learns them twice.",
        "Exclude all but one.",
        needs_person=False,
    ),
    Kind.NEAR: Advice(
        "Pictures of the same thing, such as shots in a row. A training keeps all of them on one side of a split.",
        "Nothing needs to be done. Many alike teach little: fewer make a training faster.",
        needs_person=False,
    ),
    Kind.IMBALANCE: Advice(
        f"More than {MOST_UNLIKE} times as many pictures of one class as of the other.",
        "Add pictures of the rarer class, if there are more.",
        needs_person=False,
    ),
}
"""In the order of the kinds: the most urgent first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found, on the pictures of these names; none where it concerns the data set as a whole."""

    kind: Kind
    names: tuple[str, ...]
    why: str


def by_kind(findings: Sequence[Finding]) -> dict[Kind, list[Finding]]:
    """In their order."""
    sections: dict[Kind, list[Finding]] = {}
    for finding in findings:
        sections.setdefault(finding.kind, []).append(finding)
    return sections


def pictures(findings: Sequence[Finding]) -> int:
    """How many they are on."""
    return len({name for finding in findings for name in finding.names})
