"""What a person decided on pictures: kept in a small file beside the data, and never written into it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import reduce
from pathlib import Path
from typing import Any

from model.errors import ModelError
from model.training.data.samples import DECISIONS, MOST_SAMPLES, Sample
from model.training.data.whole_file import write_whole
from model.types import Label

SCHEMA = "ductwatch.decisions/1"
MOST_BYTES = 1000 * MOST_SAMPLES  # a decision has some 200
KEYS = frozenset({"name", "sha256", "decision", "at"})
SHA256_DIGITS = 64
MOST_NAMED = 3  # pictures in a sentence
REMEDY = "Save it anew from the report, or repair it; nothing was changed"


class BadDecisions(ModelError):
    """The file of decisions cannot be used: none of it was, and it is as it was."""


class Choice(Enum):
    """KEEP says that a picture is right as it is, whatever was found."""

    KEEP = "keep"
    EXCLUDE = "exclude"
    CLEAN = "clean"
    DIRTY = "dirty"


RELABELLED = {Choice.CLEAN: Label.CLEAN, Choice.DIRTY: Label.DIRTY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """On the picture of this name, as long as it is the same file. `at` is UTC such as 2026-11-26T10:00:00Z."""

    name: str
    sha256: str | None  # None: there was no file to read, and the decision counts until there is
    choice: Choice | None  # None: taken back, and later than what another file may still say
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """`samples` without the excluded, the others as they are labelled now. `decided` are those that a choice is of.

    `stale` are names of decisions on pictures that are gone, or are other files now: they did not count.
    """

    samples: tuple[Sample, ...]
    decided: Mapping[str, Choice]
    stale: tuple[str, ...]


def apply(
    samples: Sequence[Sample], decisions: Mapping[str, Decision], sha256_of: Callable[[Sample], str | None]
) -> Applied:
    """Carry out the decisions. `sha256_of` is asked only of samples that there is a decision on."""
    chosen = {name: (one.choice, one.sha256) for name, one in decisions.items() if one.choice}
    decided = {
        sample.name: chosen[sample.name][0]
        for sample in samples
        if sample.name in chosen and chosen[sample.name][1] == sha256_of(sample)
    }
    left = tuple(
        replace(sample, label=RELABELLED.get(decided[sample.name], sample.label)) if sample.name in decided else sample
        for sample in samples
        if decided.get(sample.name) is not Choice.EXCLUDE
    )
    return Applied(samples=left, decided=decided, stale=tuple(sorted(chosen.keys() - decided.keys())))


def that_do_not_count(stale: Sequence[str]) -> str:
    """A sentence on the stale of `Applied`."""
    more = f", and {len(stale) - MOST_NAMED:,} more" if len(stale) > MOST_NAMED else ""
    names = ", ".join(stale[:MOST_NAMED])
    return f"Decisions on pictures that are gone, or are other files now, do not count: {names}{more}."


def merge(before: Mapping[str, Decision], after: Mapping[str, Decision]) -> dict[str, Decision]:
    """All of both. On the same picture the later decision counts, and of two equally old ones that of `after`.

    What was taken back stays, without a choice: merged with an older file once more, it is still taken back.
    """
    later = {name: one for name, one in after.items() if name not in before or one.at >= before[name].at}
    return {**before, **later}


def beside(data: Path) -> Path:
    """Where the decisions on a folder or a manifest are: photos.decisions.json next to photos."""
    place = data.resolve() if data.name in ("", "..") else data  # the name of a link is the one that the user knows
    return place.with_name(place.name + DECISIONS) if place.name else place / DECISIONS


def read_all(data: Path) -> tuple[dict[str, Decision], str]:
    """All decisions on a folder or a manifest, and the files that they are from, as a person reads it.

    Those in the folder itself count too, for where a training is handed nothing else; the later decision on a picture
    counts. Raises `BadDecisions`.
    """
    inside = sorted(data.glob(f"*{DECISIONS}")) if data.is_dir() else []
    found = {place: read_decisions(place) for place in (*inside, beside(data))}
    files = " and ".join(str(place) for place, decisions in found.items() if decisions)
    return reduce(merge, found.values(), {}), files


def read_decisions(path: Path) -> dict[str, Decision]:
    """By the pictures' names; none if there is no such file. Raises `BadDecisions`."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BadDecisions(f"{path}: cannot be read ({error.strerror})", remedy="Check who may read it") from error
    if len(content) > MOST_BYTES:
        raise BadDecisions(f"{path}: larger than {MOST_BYTES} bytes", remedy=REMEDY)
    try:
        return parse_decisions(content)
    except ValueError as error:
        raise BadDecisions(f"{path}: {error}", remedy=REMEDY) from error


def write_decisions(path: Path, decisions: Mapping[str, Decision]) -> None:
    """Write the whole file or nothing. Raises `BadDecisions`."""
    try:
        write_whole(path, render_decisions(decisions.values()))
    except OSError as error:
        raise BadDecisions(f"{path}: cannot be written ({error.strerror})", remedy="Nothing was changed") from error


def render_decisions(decisions: Iterable[Decision]) -> str:
    """The file's text: a decision a line, by name, so that two versions can be compared."""
    lines = [json.dumps(as_entry(one)) for one in sorted(decisions, key=lambda one: one.name)]
    return f'{{"schema": "{SCHEMA}", "decisions": [\n' + ",\n".join(lines) + "\n]}\n"


def as_entry(decision: Decision) -> dict[str, str | None]:
    """As it is in the file, and on the report's page."""
    choice = decision.choice.value if decision.choice else None
    return {"name": decision.name, "sha256": decision.sha256, "decision": choice, "at": decision.at}


def parse_decisions(content: bytes) -> dict[str, Decision]:
    """Raises ValueError with what is wrong, and in which decision."""
    try:
        document = json.loads(content.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON ({error})") from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise ValueError(f"not a file of decisions: it has no schema {SCHEMA}")
    if unknown := sorted(document.keys() - {"schema", "decisions"}):
        raise ValueError(f"unknown key {unknown[0]!r}")
    entries = document.get("decisions")
    if not isinstance(entries, list):
        raise ValueError("decisions is no list")
    decisions: dict[str, Decision] = {}
    for number, entry in enumerate(entries, start=1):
        decision = _decision(entry, f"decision {number}")
        if decision.name in decisions:
            raise ValueError(f"decision {number}: a second one on {decision.name}")
        decisions[decision.name] = decision
    return decisions


def _decision(entry: Any, where: str) -> Decision:
    if not isinstance(entry, dict):
        raise ValueError(f"{where}: not an object")
    if unknown := sorted(entry.keys() - KEYS):
        raise ValueError(f"{where}: unknown key {unknown[0]!r}")
    name, sha256, at = entry.get("name"), entry.get("sha256"), entry.get("at", "")
    if not isinstance(name, str) or not name:
        raise ValueError(f"{where}: no name of a picture")
    if "sha256" not in entry or not (sha256 is None or (isinstance(sha256, str) and len(sha256) == SHA256_DIGITS)):
        raise ValueError(f"{where}, on {name}: sha256 has not {SHA256_DIGITS} digits, nor is it null")
    if not isinstance(at, str):
        raise ValueError(f"{where}, on {name}: at is no time")
    try:
        choice = None if "decision" in entry and entry["decision"] is None else Choice(entry.get("decision"))
    except ValueError:
        choices = ", ".join(choice.value for choice in Choice)
        raise ValueError(f"{where}, on {name}: decision is none of {choices}, nor is it null") from None
    return Decision(name=name, sha256=sha256, choice=choice, at=at)
