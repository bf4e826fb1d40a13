"""Which photos a model has learned from, kept beside its bundle: what it is worth on these, it is worth on no others.

It is no part of the bundle, as no board has a use for it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from model.classifier import Classifier
from model.errors import NoPlace
from model.training.bundle import MODEL
from model.training.data.contents import digest_of
from model.training.data.samples import MOST_SAMPLES, BadDataset, Sample
from model.training.data.whole_file import write_whole

FILE: Final = "learned-from.json"
SCHEMA: Final = "ductwatch.learned-from/1"
MOST_BYTES: Final = 1000 * MOST_SAMPLES  # a photo has some 120


def record_of(model: bytes, *, learned: Iterable[Sample], measured: Iterable[Sample]) -> str:
    """The file's text: the SHA-256 of the network, and of each photo by its name; null if that cannot be read."""
    document = {
        "schema": SCHEMA,
        "model_sha256": hashlib.sha256(model).hexdigest(),
        "learned": {one.name: digest_of(one.path) for one in learned},
        "measured": {one.name: digest_of(one.path) for one in measured},
    }
    return _text(document)


def learned_by(classifier: Classifier, bundle: Path) -> frozenset[str]:
    """SHA-256 of the photos that the model learned from, if a record of this very network lies beside its bundle.

    Raises `BadDataset` for a record that cannot be used.
    """
    record = _beside(bundle, classifier)
    return frozenset(filter(None, record["learned"].values())) if record else frozenset()


def is_among(path: Path, learned: frozenset[str]) -> bool:
    """Whether it was learned from. No file is read where nothing was."""
    return bool(learned) and digest_of(path) in learned


def unlearned(samples: Sequence[Sample], learned: frozenset[str]) -> tuple[Sample, ...]:
    """Those that are not among what was learned from."""
    return tuple(sample for sample in samples if not is_among(sample.path, learned))


def to_keep_beside(out: Path, classifier: Classifier, bundle: Path) -> str | None:
    """The file's text, for `out`, which is to be another bundle of the same network; None if there is none to keep, or
    it is there.

    Raises `BadDataset` as above, `NoPlace` where the record of another model is there.
    """
    record = _beside(bundle, classifier)
    if record is None or _beside(out, classifier) is not None:
        return None
    if (path := _place(out)).exists():
        remedy = f"Choose a folder of its own for the bundle, such as --out {out / 'bundle'}"
        raise NoPlace(f"{path}: says what another model has learned from, and is not replaced", remedy=remedy)
    return _text(record)


def keep_beside(out: Path, text: str) -> None:
    """Raises OSError."""
    write_whole(_place(out), text)


def _place(bundle: Path) -> Path:
    return bundle.resolve().with_name(FILE)


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=1) + "\n"


def _beside(bundle: Path, classifier: Classifier) -> dict[str, Any] | None:
    """The record of this network that lies beside `bundle`, if there is one."""
    path = _place(bundle)
    try:
        with path.open("rb") as file:
            record = _parsed(file.read(MOST_BYTES + 1))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise BadDataset(f"{path}: cannot be read ({error.strerror})", remedy="Check who may read it") from error
    except (ValueError, RecursionError) as error:
        remedy = "Copy it again from where the model was taught, or remove it and measure on other photos"
        raise BadDataset(f"{path}: is no record of what a model learned from: {error}", remedy=remedy) from error
    return record if record["model_sha256"] == classifier.manifest.files[MODEL].sha256 else None  # of another model


def _parsed(content: bytes) -> dict[str, Any]:
    """Raises ValueError."""
    if len(content) > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES} bytes")
    document = json.loads(content)
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise ValueError(f"it has no schema {SCHEMA}")
    if not isinstance(document.get("model_sha256"), str) or not isinstance(document.get("learned"), dict):
        raise ValueError("it has no model_sha256, or no learned")
    if not all(value is None or isinstance(value, str) for value in document["learned"].values()):
        raise ValueError("in learned, something is no SHA-256")
    return document
