"""What may be decided on the record of both slots: each move, what is refused, and what runs.

A move that the table of `ota.slot_states` does not have is a KeyError, and the caller's mistake. `now_s` is since 1970,
`why` a few words for whoever reads the history.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ota.slot_states import (
    HOLDING,
    LIMIT_S,
    MAX_BAD,
    MAX_HISTORY,
    MAX_STARTS,
    MAX_WHY,
    NEXT,
    RUNNING,
    Happened,
    Held,
    Record,
    Shipped,
    Slot,
    SlotName,
    SlotState,
)
from ota.slot_states import SlotEvent as E

REJECTED = {E.FAIL: "failed", E.ROLL_BACK: "was rolled back", E.UNUSABLE: "could not be loaded"}
"""What makes a slot BAD, in words."""


def chosen(record: Record) -> SlotName | None:
    """What runs after a start, and counts; None: the model in the firmware. All else only ever runs beside it."""
    return record.active


def refusal(record: Record, new: Held, *, shipped: Shipped, older: bool = False) -> str:
    """Why `new` is not to be staged; empty if it may be. `older`: somebody asked for one that is not newer."""
    if new.sha256 in record.bad:
        return _rejection(record, new)
    running = None if record.active is None else record[record.active].holds
    if running is not None and running.sha256 == new.sha256:
        return f"{new} is what runs already"
    if older:
        return ""
    waiting = None if record.pending is None else record[record.pending].holds
    counters = [held.counter for held in (running, waiting) if held is not None and held.model == new.model]
    if record.active is None and shipped.model == new.model:
        counters.append(shipped.counter)
    if new.counter <= max(counters, default=-1):
        return f"{new} has the release counter {new.counter}, and this board has {max(counters)} already"
    return ""


def _rejection(record: Record, new: Held) -> str:
    """What became of it here, and why, as long as the history has it."""
    for one in reversed(record.history):
        if one.release == str(new) and one.event in REJECTED:
            return f"{new} {REJECTED[one.event]} on this board before: {one.why}"
    return f"{new} failed on this board before, or was rolled back"


def freed(record: Record, *, now_s: int, why: str) -> Record:
    """Before the bytes in the inactive slot are replaced. As it is if there are none."""
    name = record.inactive
    return _moved(record, name, E.FREE, now_s, why) if record[name].state in HOLDING else record


def staged(record: Record, name: SlotName, new: Held, *, now_s: int, why: str) -> Record:
    """`new` is in the slot `name`, whole and proved."""
    return _moved(record, name, E.STAGE, now_s, why, holds=new)


def trial_begun(record: Record, *, now_s: int, why: str) -> Record:
    return _moved(record, _there(record.pending), E.BEGIN_TRIAL, now_s, why)


def started(record: Record, *, now_s: int) -> Record:
    """The firmware started. A pending model that has come to no verdict by start `MAX_STARTS` may be why: BAD.

    Also while it is only STAGED: an examination that ends the firmware must not do so for ever. See `steady`.
    """
    name = record.pending
    if name is None:
        return record
    slot = record[name]
    if slot.starts + 1 == MAX_STARTS:
        return _moved(record, name, E.FAIL, now_s, f"{MAX_STARTS} starts of the firmware without a verdict")
    return _with(record, name, replace(slot, state=NEXT[slot.state, E.START], starts=slot.starts + 1))


def steady(record: Record) -> Record:
    """The firmware has run for so long that its next end is not the pending model's doing: its starts count anew.

    Otherwise no model would pass where the board is switched off with the plant, every night.
    """
    name = record.pending
    return record if name is None else _with(record, name, replace(record[name], starts=0))


def passed(record: Record, *, now_s: int, why: str) -> Record:
    """The model on trial is the active one from now on, on probation. What was active stays, to go back to."""
    return _moved(record, _there(record.pending), E.PASS, now_s, why)


def kept(record: Record, *, now_s: int, why: str) -> Record:
    """The model on probation is good."""
    return _moved(record, _there(record.pending), E.KEEP, now_s, why)


def failed(record: Record, *, now_s: int, why: str) -> Record:
    """The pending model is not good for this board. If it was active, to the previous one."""
    return _moved(record, _there(record.pending), E.FAIL, now_s, why)


def given_up(record: Record, *, now_s: int, why: str) -> Record:
    """Too little was seen of the pending model for a verdict: the release may come again."""
    return _moved(record, _there(record.pending), E.EXPIRE, now_s, why)


def rolled_back(record: Record, *, now_s: int, why: str) -> Record:
    """To the previous model. The active one is not wanted here any more: else it would be back with the next poll."""
    return _moved(record, _there(record.active), E.ROLL_BACK, now_s, why)


def unusable(record: Record, *, now_s: int, why: str) -> Record:
    """The active model cannot be loaded: to the previous one."""
    return _moved(record, _there(record.active), E.UNUSABLE, now_s, why)


def lost(record: Record, name: SlotName, *, now_s: int, why: str) -> Record:
    """The bytes in the slot cannot be proved. That is no word on the release, which may come again."""
    return _moved(record, name, E.LOSE, now_s, why)


def overdue(record: Record, *, now_s: int) -> Record:
    """What waits longer than `LIMIT_S` is given up. A clock that was set back begins the wait anew."""
    name = record.pending
    if name is None:
        return record
    slot = record[name]
    if now_s < slot.since_s:
        return _with(record, name, replace(slot, since_s=now_s))
    if now_s - slot.since_s < LIMIT_S[slot.state]:
        return record
    return _moved(record, name, E.EXPIRE, now_s, f"no verdict in {LIMIT_S[slot.state] // 3600} h")


def _moved(record: Record, name: SlotName, event: E, now_s: int, why: str, holds: Held | None = None) -> Record:
    """`holds` for what is staged. An active slot that is no longer to run gives way to the previous one."""
    slot = record[name]
    state = NEXT[slot.state, event]
    it = holds or slot.holds
    happened = Happened(at_s=now_s, slot=name, event=event, release=str(it), why=_plain(why))
    return _with(
        record,
        name,
        Slot(state=state, holds=None if state is SlotState.EMPTY else it, since_s=now_s),
        active=name if state in RUNNING else record.previous if name is record.active else record.active,
        bad=(*record.bad, it.sha256)[-MAX_BAD:] if state is SlotState.BAD and it is not None else record.bad,
        history=(*record.history, happened)[-MAX_HISTORY:],
    )


def _with(record: Record, name: SlotName, slot: Slot, **changes: Any) -> Record:
    return replace(record, **{name.value: slot, **changes})


def _there(name: SlotName | None) -> SlotName:
    if name is None:
        raise KeyError("no slot is in a state for this")
    return name


def _plain(why: str) -> str:
    """Short, and fit for a file: a name in it may be no Unicode."""
    return why[:MAX_WHY].encode(errors="replace").decode()
