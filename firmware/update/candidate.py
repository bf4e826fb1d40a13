"""A model on trial, in a process of its own: a crash, a leak or a hang of it is no matter to the model that counts.

`python -m firmware.update.candidate BUNDLE [--beside BUNDLE] [--priority N]` is started by `firmware.update.trial`,
and answers on stdout what is asked on stdin (`questions`). It ends with its stdin, and with the firmware, however that
ends: two candidates at once would take each other's time.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import BinaryIO

from drivers.types import Frame, SourceId
from firmware import realtime
from firmware.update.questions import (
    LENGTH,
    Answer,
    Judge,
    Judged,
    Loaded,
    Measure,
    Measured,
    Refused,
    frame_of,
    length_of,
    packed,
    question_of,
)
from model.classifier import Classifier
from model.errors import ModelError
from model.manifest import parse_expected, parse_manifest
from model.selftest import EXPECTED, RIGHT, answers, golden_frame
from ota.bundle import Bundle, open_bundle
from ota.errors import OtaError

PAUSE_S = 0.02  # between two pictures that are timed: it must not starve what counts
MOST_RUNS = 2_000
STATUS, OOM_SCORE = Path("/proc/self/status"), Path("/proc/self/oom_score_adj")  # proc(5)
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> int:
    try:
        return _serve(_parser().parse_args())
    except BrokenPipeError:  # the firmware has ended: nobody listens any more
        return 0


def _serve(arguments: argparse.Namespace) -> int:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # for one that is amid a picture, or hangs there
    with suppress(OSError):
        OOM_SCORE.write_text("1000")  # where memory runs out, this process is to go, and not the firmware
    realtime.make_urgent(arguments.priority)
    questions, told = sys.stdin.buffer, _own_stdout()
    try:
        bundle, before_mib = open_bundle(arguments.bundle), _resident_mib()
        classifier = _classifier(bundle)
        loaded = answers(classifier, bundle.files)
        took_mib = _resident_mib(peak=True) - before_mib
        before = _accuracy_of(arguments.beside, bundle.files) if arguments.beside else None
        frames = [golden_frame(name, bundle.files) for name in parse_expected(bundle.files[EXPECTED])]
    except (OtaError, ModelError) as error:
        _tell(told, Refused(problem=str(error)))
        return 0
    _tell(
        told,
        Loaded(
            pictures=loaded.pictures,
            agreement=loaded.agreement,
            worst_lsb=loaded.worst_lsb,
            accuracy=loaded.accuracy,
            accuracy_before=before,
            memory_mib=max(0.0, took_mib),
        ),
    )
    while head := questions.read(LENGTH.size):
        question = question_of(questions.read(length_of(head)))
        match question:
            case Judge():
                lit = frame_of(question.lit, question.source, questions.read)
                dark = None if question.dark is None else frame_of(question.dark, question.source, questions.read)
                _tell(told, _judged(classifier, lit, dark))
            case Measure():
                _tell(told, Measured(times_ms=list(_timed(classifier, frames, question.seconds))))
    return 0


def _judged(classifier: Classifier, lit: Frame, dark: Frame | None) -> Judged:
    found = classifier.judge(lit, dark)
    return Judged(label=found.label.value, score=found.score, took_ms=(found.decode_ns + found.invoke_ns) / 1e6)


def _timed(classifier: Classifier, frames: list[Frame], seconds: float) -> Iterator[float]:
    """ms of each picture, from its frame to its judgement; the first ones, while nothing is warm, are left out.

    Each comes from a camera of its own: the same picture twice from one would be `frozen`, and not judged.
    """
    for frame in frames:
        classifier.raw_output(frame)
    until_s = time.monotonic() + seconds
    for number, frame in zip(range(MOST_RUNS), cycle(frames), strict=False):
        if time.monotonic() > until_s:
            return
        started_ns = time.perf_counter_ns()
        if classifier.judge(replace(frame, source=SourceId(str(number)))).score is None:
            classifier.raw_output(frame)
        yield (time.perf_counter_ns() - started_ns) / 1e6
        time.sleep(PAUSE_S)


def _accuracy_of(path: Path, golden: Mapping[str, bytes]) -> float | None:
    """Of the model that is in use, on the new one's golden pictures; None where nobody knows what they show."""
    if RIGHT not in golden:
        return None
    return answers(_classifier(open_bundle(path)), golden).accuracy


def _classifier(bundle: Bundle) -> Classifier:
    return Classifier(bundle.files["model.tflite"], parse_manifest(bundle.manifest))


def _tell(told: BinaryIO, answer: Answer) -> None:
    told.write(packed(answer))


def _own_stdout() -> BinaryIO:
    """What libraries print goes to stderr: nothing may come between two answers."""
    own = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(own, "wb", buffering=0)


def _resident_mib(*, peak: bool = False) -> float:
    field = "VmHWM:" if peak else "VmRSS:"
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024  # proc(5): in kB of 1,024 bytes


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="candidate", description="A model on trial. The firmware starts it.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--beside", type=Path, help="the bundle of the model that is in use")
    parser.add_argument("--priority", type=int, default=0)
    return parser


if __name__ == "__main__":
    sys.exit(main())
