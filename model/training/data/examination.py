"""Looks at every picture of a data set, carries out what a person decided, and audits what is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from model.training.data.audit import Audit, audit
from model.training.data.decisions import Applied, Decision, apply
from model.training.data.logistic import Features
from model.training.data.looking import BATCH, Look, Seen, look_at_all
from model.training.data.pictures import Rgb
from model.training.data.samples import Sample
from model.training.data.suspects import EMBED_PX, Embed

THUMBNAIL_PX = 320  # twice what the page shows: for fine screens
NAME_DIGITS = 32  # of the SHA-256: two thumbnails of one name are of one file


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """`seen`: all, labelled as in the data. `left`: those not excluded, labelled as decided; the audit is of these."""

    seen: tuple[Seen, ...]
    left: tuple[Seen, ...]
    applied: Applied
    audit: Audit


def examine(
    samples: Sequence[Sample], decisions: Mapping[str, Decision], *, embed: Embed | None, thumbnails: Path | None
) -> Examination:
    """Read each file once. `thumbnails`: a folder that gets a JPEG of each usable picture, by `thumbnail_name`."""
    seen: list[Seen] = []
    vectors = _Vectors(embed)
    for look in look_at_all(samples, rgb_px=EMBED_PX if embed else 0, thumbnail_px=THUMBNAIL_PX if thumbnails else 0):
        seen.append(look.seen)
        vectors.add(look)
        if thumbnails is not None and look.thumbnail:
            (thumbnails / thumbnail_name(look.seen)).write_bytes(look.thumbnail)
    sha256 = {one.sample.name: one.sha256 for one in seen}
    applied = apply(samples, decisions, lambda sample: sha256[sample.name])
    sample_left = {sample.name: sample for sample in applied.samples}
    left = tuple(replace(one, sample=sample_left[one.sample.name]) for one in seen if one.sample.name in sample_left)
    features = vectors.of([one.sample.name in sample_left for one in seen if one.prints is not None])
    return Examination(
        seen=tuple(seen), left=left, applied=applied, audit=audit(left, features, decided=applied.decided.keys())
    )


def thumbnail_name(seen: Seen) -> str:
    """Of a usable picture."""
    return f"{(seen.sha256 or '')[:NAME_DIGITS]}.jpg"


class _Vectors:
    """Feature vectors, a batch of pictures at a time."""

    def __init__(self, embed: Embed | None) -> None:
        self._embed = embed
        self._waiting: list[Rgb] = []
        self._done: list[Features] = []

    def add(self, look: Look) -> None:
        if look.rgb is not None:
            self._waiting.append(look.rgb)
        if len(self._waiting) == BATCH:
            self._flush()

    def of(self, wanted: Sequence[bool]) -> Features | None:
        """Those of the wanted pictures, of all that were added; None if there are no vectors."""
        self._flush()
        return np.concatenate(self._done)[np.array(wanted, bool)] if self._done else None

    def _flush(self) -> None:
        if self._embed is not None and self._waiting:
            self._done.append(self._embed(np.stack(self._waiting)))
            self._waiting.clear()
