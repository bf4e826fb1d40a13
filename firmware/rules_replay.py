"""`ductwatch rules replay`: what rules would have done with what a board recorded."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import BinaryIO

from firmware.errors import ConfigError
from firmware.local.replies import moves as moves_in_words
from firmware.plan import DEFAULT_RULES, load_rules
from firmware.rules.recording import Recording
from firmware.rules.replay import Replayed, replay
from firmware.terminal import printable
from firmware.timeline import page

MOST_LINE_BYTES = 64 * 1024  # an event has some hundred
REPORT = "index.html"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def main(arguments: Namespace) -> int:
    """Raises `ConfigError` for rules that are not sound, or a file that is no recording."""
    rules = load_rules(arguments.file or DEFAULT_RULES)
    recording = Recording()
    with _opened(arguments.events) as file:
        samples = recording.samples(_lines(file, arguments.events), partial(_problem, arguments.events))
        replayed = replay(samples, rules)
    start = recording.start or EPOCH
    notes = _notes(recording, replayed, start)
    if arguments.report is not None:
        _write(arguments.report / REPORT, page(replayed, rules, start, notes))
    if arguments.json:
        print(json.dumps(_document(replayed, recording, start)))
    else:
        print("\n".join([*notes, *_lines_of(replayed)]))
    if arguments.report is not None:
        print(f"The timeline is {arguments.report / REPORT}.", file=sys.stderr)
    return 0


def _lines_of(replayed: Replayed) -> Iterator[str]:
    """A line for each alarm that moved, those that came most often first."""
    if not replayed.severities:
        yield "No alarm came."
    for alarm in sorted(replayed.severities, key=lambda each: (-replayed.raised(each), each)):
        name, severity = printable(str(alarm)), replayed.severities[alarm].value
        times, share = replayed.raised(alarm), 100 * replayed.share(alarm)
        yield f"{name:<40} {severity:<9} came {times:>5} times, stood {share:5.1f} % of the time"


def _notes(recording: Recording, replayed: Replayed, start: datetime) -> list[str]:
    end = start + timedelta(microseconds=replayed.end // 1000)
    notes = [
        f"{recording.events} events, {replayed.samples} samples, from {start:%Y-%m-%d %H:%M:%S} to "
        f"{end:%Y-%m-%d %H:%M:%S} UTC. Nobody acknowledges or resets anything."
    ]
    if recording.out_of_order:
        notes.append(
            f"{recording.out_of_order} events were before the one above them: their time was taken for that one's."
        )
    if replayed.lost:
        notes.append(f"The last {replayed.lost} moves are not kept.")
    return notes


def _document(replayed: Replayed, recording: Recording, start: datetime) -> dict[str, object]:
    times = [start + timedelta(microseconds=move.at // 1000) for move in replayed.moves]
    told = moves_in_words(replayed.moves)
    return {
        "schema": "ductwatch.replay/1",
        "events": recording.events,
        "out_of_order": recording.out_of_order,
        "samples": replayed.samples,
        "lost_moves": replayed.lost,
        "moves": [{"time": f"{time:%Y-%m-%dT%H:%M:%S.%f}Z", **move} for time, move in zip(times, told, strict=True)],
    }


def _opened(path: Path) -> BinaryIO:
    try:
        return sys.stdin.buffer if str(path) == "-" else path.open("rb")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}. Check the path and its permissions.") from error


def _lines(file: BinaryIO, path: Path) -> Iterator[bytes]:
    number = 0
    try:
        while line := file.readline(MOST_LINE_BYTES + 1):
            number += 1
            if len(line) > MOST_LINE_BYTES:
                raise _problem(path, number, f"longer than {MOST_LINE_BYTES} bytes")
            yield line
    except OSError as error:
        raise ConfigError(
            f"{path}:{number + 1}: cannot be read: {error.strerror}. Check the path and the disk."
        ) from error


def _problem(path: Path, number: int, problem: str) -> ConfigError:
    how = "A recording is what `ductwatch run --events -` writes, one event a line (docs/events.md)."
    return ConfigError(f"{path}:{number}: {problem}. {how}")


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}. Choose another folder, or make room.") from error
