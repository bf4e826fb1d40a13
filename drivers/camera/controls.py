"""Which camera controls to set for a wish, from those that the camera has. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum


class Control(IntEnum):
    """include/uapi/linux/v4l2-controls.h"""

    AUTO_WHITE_BALANCE = 0x0098090C
    AUTO_GAIN = 0x00980912
    GAIN = 0x00980913
    WHITE_BALANCE_KELVIN = 0x0098091A
    EXPOSURE_MODE = 0x009A0901
    EXPOSURE_100_US = 0x009A0902


EXPOSURE_MANUAL = 1
EXPOSURE_AUTOMATIC = (3, 0)  # aperture priority, which UVC cameras offer (the iris is fixed); fully automatic


@dataclass(frozen=True, slots=True)
class Range:
    """What a control accepts. `choices` are the items of a menu; empty for numbers."""

    minimum: int
    maximum: int
    step: int = 1
    choices: frozenset[int] = frozenset()

    def nearest(self, value: int) -> int:
        step = max(self.step, 1)
        bounded = min(max(value, self.minimum), self.maximum)
        return self.minimum + (bounded - self.minimum) // step * step


@dataclass(frozen=True, slots=True)
class Wish:
    """None is automatic."""

    exposure_s: float | None = None
    gain: int | None = None
    white_balance_kelvin: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Values to set, in this order: a mode comes before the value that it frees. `notes` are for people."""

    values: tuple[tuple[Control, int], ...]
    notes: tuple[str, ...]


def plan(wish: Wish, offered: Mapping[Control, Range]) -> Plan:
    """Automatic where that was wished and exists; a fixed value where the camera has the control, else a note."""
    exposure_100_us = None if wish.exposure_s is None else round(wish.exposure_s * 10_000)
    plans = (
        _exposure_mode(exposure_100_us is None, offered),
        _fixed("exposure {} x 0.1 ms", Control.EXPOSURE_100_US, exposure_100_us, offered),
        _switch(Control.AUTO_GAIN, wish.gain is None, offered),
        _fixed("gain {}", Control.GAIN, wish.gain, offered),
        _switch(Control.AUTO_WHITE_BALANCE, wish.white_balance_kelvin is None, offered),
        _fixed("white balance {} K", Control.WHITE_BALANCE_KELVIN, wish.white_balance_kelvin, offered),
    )
    return Plan(
        values=tuple(value for part in plans for value in part.values),
        notes=tuple(note for part in plans for note in part.notes),
    )


NOTHING = Plan((), ())


def _exposure_mode(automatic: bool, offered: Mapping[Control, Range]) -> Plan:
    if Control.EXPOSURE_MODE not in offered:
        return NOTHING
    choices = offered[Control.EXPOSURE_MODE].choices
    for mode in EXPOSURE_AUTOMATIC if automatic else (EXPOSURE_MANUAL,):
        if mode in choices:
            return Plan(((Control.EXPOSURE_MODE, mode),), ())
    return NOTHING


def _switch(control: Control, automatic: bool, offered: Mapping[Control, Range]) -> Plan:
    return Plan(((control, int(automatic)),), ()) if control in offered else NOTHING


def _fixed(text: str, control: Control, value: int | None, offered: Mapping[Control, Range]) -> Plan:
    if value is None:
        return NOTHING
    if control not in offered:
        return Plan((), (f"{text.format(value)} cannot be set on this camera",))
    nearest = offered[control].nearest(value)
    notes = () if nearest == value else (f"{text.format(nearest)} instead of {value}",)
    return Plan(((control, nearest),), notes)
