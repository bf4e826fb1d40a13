"""`ductwatch detect`: a verdict on image files, by the very classes that run on the board."""

from __future__ import annotations

import json
import sys
import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from drivers.types import Frame
from firmware.plan import load_classifier
from model.classifier import Classifier
from model.errors import ModelError
from model.shipped import shipped_bundle
from model.tensors import jpeg_frame
from model.types import Judgement

MAX_IMAGE_BYTES = 64 * 1024 * 1024  # larger than any camera's photo
JPEG_START = b"\xff\xd8\xff"  # ITU-T T.81, B.1.1.3: SOI and the next marker's first byte

FORMATS = ((b"\x89PNG", "a PNG"), (b"GIF8", "a GIF"), (b"BM", "a BMP"), (b"RIFF", "a WebP"), (b"II*\0", "a TIFF"))


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
    return (
        f"{judgement.label.value:<11}  {score}  decode {judgement.decode_ns / NS_PER_MS:4.1f} ms"
        f"  invoke {judgement.invoke_ns / NS_PER_MS:4.1f} ms  total {detection.total_ns / NS_PER_MS:4.1f} ms"
        f"  {judgement.model.name} {judgement.model.version}  {detection.path}{reasons}"
    )


def _json(detection: Detection, judgement: Judgement) -> str:
    return json.dumps(
        {
            "schema": "ductwatch.detection/1",
            "path": str(detection.path),
            "label": judgement.label.value,
            "score": judgement.score,
            "reasons": [reason.value for reason in judgement.reasons],
            "decode_ms": judgement.decode_ns / NS_PER_MS,
            "invoke_ms": judgement.invoke_ns / NS_PER_MS,
            "total_ms": detection.total_ns / NS_PER_MS,
            "model": {"name": judgement.model.name, "version": judgement.model.version},
        }
    )


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
            judgement = classifier.judge(read_frame(path, index))
        except (OSError, ModelError, ValueError) as error:
            yield Detection(path, problem=_in_words(path, error))
        else:
            yield Detection(path, judgement, time.perf_counter_ns() - started_ns)


def read_frame(path: Path, index: int) -> Frame:
    """A JPEG file as a camera's frame. Each file is a camera of its own: two equal files are no frozen camera.

    Raises OSError if it cannot be read, ValueError or ModelError if it is no JPEG within the bounds.
    """
    with path.open("rb") as file:
        content = file.read(MAX_IMAGE_BYTES + 1)
    if not content:
        raise ValueError("the file is empty")
    if len(content) > MAX_IMAGE_BYTES:
        raise ValueError(f"larger than {MAX_IMAGE_BYTES // 1024 // 1024} MiB: this is no photo of a duct")
    if not content.startswith(JPEG_START):
        kind = next((name for start, name in FORMATS if content.startswith(start)), "no image")
        raise ValueError(f"this is {kind}, not a JPEG: save it as JPEG, as the board's cameras deliver it")
    return jpeg_frame(content, f"file-{index}")


def _in_words(path: Path, error: Exception) -> str:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return f"{path}: {reason}"
