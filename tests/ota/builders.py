"""Releases by number: the counter is the number, and the bytes of the tar tell it."""

from __future__ import annotations

import hashlib

from ota import slot_moves as moves
from ota.slot_states import Held, Record, Shipped
from ota.types import Release, Target

MODEL = "visual-clean"
SHIPPED = Shipped(model=MODEL, counter=1)
NOW = 1_800_000_000


def tar_of(number: int, note: str = "") -> bytes:
    return f"bundle {number} {note}".encode()


def release(number: int, *, counter: int | None = None, model: str = MODEL, note: str = "") -> Release:
    content = tar_of(number, note)
    target = Target(path=f"stable/{model}.tar", length=len(content), sha256=hashlib.sha256(content).hexdigest())
    return Release(
        target=target,
        model=model,
        version=f"1.{number}",
        counter=number if counter is None else counter,
        hardware=("any",),
    )


def held(number: int, *, counter: int | None = None, model: str = MODEL) -> Held:
    return Held.of(release(number, counter=counter, model=model))


def staged(record: Record, number: int) -> Record:
    record = moves.freed(record, now_s=NOW, why="")
    return moves.staged(record, record.inactive, held(number), now_s=NOW, why="")


def on_trial(record: Record, number: int) -> Record:
    return moves.trial_begun(staged(record, number), now_s=NOW, why="")


def on_probation(record: Record, number: int) -> Record:
    return moves.passed(on_trial(record, number), now_s=NOW, why="")


def updated(record: Record, *numbers: int) -> Record:
    for number in numbers:
        record = moves.kept(on_probation(record, number), now_s=NOW, why="")
    return record


def running(record: Record) -> int | None:
    name = moves.chosen(record)
    it = None if name is None else record[name].holds
    return None if it is None else it.counter
