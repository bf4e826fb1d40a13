"""`ductwatch detect`: a verdict on image files, by the very classes that run on the board."""

from __future__ import annotations

import json
import sys
import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from firmware import deposit
from firmware.plan import load_classifier
from model.classifier import Classifier
from model.cleanliness import SUPPLY_DUCTS, classes
from model.errors import ModelError
from model.photo import read_photo
from model.shipped import shipped_bundle
from model.types import Cleanliness, Judgement

EX_NOT_JUDGED = 1
NS_PER_MS = 1_000_000


def main(arguments: Namespace) -> int:
    """Print a line for each file; 1 if any could not be judged. Raises `ConfigError` for a bad bundle."""
    classifier = load_classifier(arguments.model or shipped_bundle())
    show = _json if arguments.json else _line
    failed = False
    for detection in detect(arguments.images, classifier):
        if detection.judgement is None:
            failed = True
            print(f"ductwatch: {detection.problem}", file=sys.stderr)
        else:
            print(show(detection, detection.judgement), flush=True)
    return EX_NOT_JUDGED if failed else 0


def _line(detection: Detection, judgement: Judgement) -> str:
    score = "   -" if judgement.score is None else f"{judgement.score:4.2f}"
    reasons = f"  ({', '.join(reason.value for reason in judgement.reasons)})" if judgement.reasons else ""
    degree = judgement.degree
    estimate = "" if degree is None else f"  {deposit.in_words(degree, _cleanliness(judgement))}"
    return (
        f"{judgement.label.value:<11}  {score}  decode {judgement.decode_ns / NS_PER_MS:4.1f} ms"
        f"  invoke {judgement.invoke_ns / NS_PER_MS:4.1f} ms  total {detection.total_ns / NS_PER_MS:4.1f} ms"
        f"  {judgement.model.name} {judgement.model.version}  {detection.path}{reasons}{estimate}"
    )


def _json(detection: Detection, judgement: Judgement) -> str:
    return json.dumps(
        {
            "schema": "ductwatch.detection/1",
            "path": str(detection.path),
            "label": judgement.label.value,
            "score": judgement.score,
            "reasons": [reason.value for reason in judgement.reasons],
            **deposit.as_fields(judgement.degree, _cleanliness(judgement)),
            "decode_ms": judgement.decode_ns / NS_PER_MS,
            "invoke_ms": judgement.invoke_ns / NS_PER_MS,
            "total_ms": detection.total_ns / NS_PER_MS,
            "model": {"name": judgement.model.name, "version": judgement.model.version},
        }
    )


def _cleanliness(judgement: Judgement) -> tuple[Cleanliness, ...]:
    """By the limits of supply ducts: a photo has no configuration."""
    return () if judgement.degree is None else classes(judgement.degree, SUPPLY_DUCTS)


@dataclass(frozen=True, slots=True)
class Detection:
    """One file's judgement with its cost in real time, or the `problem` that kept it from being judged."""

    path: Path
    judgement: Judgement | None = None
    total_ns: int = 0
    problem: str = ""


def detect(paths: Sequence[Path], classifier: Classifier) -> Iterator[Detection]:
    """Judge each file by itself. Files that cannot be read come with their problem; the others are still judged."""
    for index, path in enumerate(paths):
        started_ns = time.perf_counter_ns()
        try:
            judgement = classifier.judge(read_photo(path, f"file-{index}"))
        except ModelError as error:
            yield Detection(path, problem=f"{path}: {error}")
        else:
            yield Detection(path, judgement, time.perf_counter_ns() - started_ns)
