"""What a driver may be told in the configuration. The one door of msgspec in this package."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Self, TypeVar

import msgspec

LONGEST_S = 366 * 86400.0  # no board waits longer for anything, and as nanoseconds it is far from any limit
UNIT_S = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


class Checked:
    """Base of values that are more than text or a number: a subclass says what it takes, and what it makes of that."""

    @classmethod
    def parse(cls, value: object) -> Self:
        """Raise ValueError, with the accepted forms, for anything else."""
        raise NotImplementedError


class Duration(Checked, float):
    """Seconds, written with their unit in the configuration: `"250ms"`, `"10s"`, `"5min"`, `"2h"`, `"7d"`."""

    _form = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*")

    @classmethod
    def parse(cls, value: object) -> Self:
        """Raise ValueError, with the accepted forms, for anything that is not a duration."""
        match = cls._form.fullmatch(value) if isinstance(value, str) else None
        if match is None or match[2] not in UNIT_S:
            raise ValueError(f'{value!r} is not a duration: write a number and one of ms, s, min, h, d, such as "5min"')
        seconds = float(match[1]) * UNIT_S[match[2]]
        if seconds > LONGEST_S:
            raise ValueError(f"{match[0][:40]!r} is longer than a year")
        return cls(seconds)

    @property
    def ns(self) -> int:
        return round(self * 1_000_000_000)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every driver's settings: subclass it in the driver's own file, with defaults for what can have one.

    `claims` names what no second device may use, such as `/dev/ttyS1` or `/dev/i2c-1 address 0x77`.
    """

    name: str
    driver: str

    def claims(self) -> tuple[str, ...]:
        return ()


class SensorSettings(Settings, frozen=True, kw_only=True):
    """What every sensor has: how often it is asked."""

    period: Duration = Duration(10.0)


S = TypeVar("S")


def from_table(table: dict[str, Any], settings: type[S]) -> S:
    """Build settings from a TOML table. Raises `msgspec.ValidationError`, which ends in the path of the culprit."""
    return msgspec.convert(table, settings, dec_hook=_decode)


def _decode(kind: type, value: Any) -> Any:
    if issubclass(kind, Checked):
        return kind.parse(value)
    if kind is Path:
        if not isinstance(value, str):
            raise ValueError(f"{value!r} is not a path: write it as text in quotes")
        if "\0" in value:
            raise ValueError(f"{value!r} is not a path: no file's name has a zero byte")
        return Path(value)
    raise NotImplementedError(kind)
