"""Units that can be multiplied and divided, so that what is compared can be told to be of one kind."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Self

FORM = re.compile(r"[^\s./]{1,12}(?:[./][^\s./]{1,12}){0,5}")


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """A product of powers, such as ug to the 1 and m3 to the -1, in the order in which they are written. None is zero.

    Nothing is converted: `ug` and `mg` are as different as `s` and `%RH`.
    """

    powers: tuple[tuple[str, int], ...] = ()

    @classmethod
    def of(cls, text: str) -> Self:
        """Read `ug/m3`, `1/dl`, `%RH` or `Cel/h`: a point multiplies, a slash divides by the one that follows (UCUM).

        Raises ValueError for anything else, or more than six of them.
        """
        if not FORM.fullmatch(text):
            raise ValueError(f"{text[:40]!r} is not a unit, such as ug/m3, %RH or Cel/h")
        powers: Counter[str] = Counter()
        for sign, name in re.findall(r"([./]?)([^./]+)", text):
            powers[name] += -1 if sign == "/" else 1
        return cls._from(powers)

    @classmethod
    def _from(cls, powers: Counter[str]) -> Self:
        return cls(tuple((name, power) for name, power in powers.items() if power and name != "1"))

    def __mul__(self, other: Unit) -> Unit:
        return self._times(other, 1)

    def __truediv__(self, other: Unit) -> Unit:
        return self._times(other, -1)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unit) and dict(self.powers) == dict(other.powers)

    def __hash__(self) -> int:
        return hash(frozenset(self.powers))

    def __str__(self) -> str:
        above = ".".join(name for name, power in self.powers for _ in range(power)) or "1"
        below = "".join(f"/{name}" for name, power in self.powers for _ in range(-power))
        return above + below

    def _times(self, other: Unit, sign: int) -> Unit:
        powers = Counter(dict(self.powers))
        for name, power in other.powers:
            powers[name] += sign * power
        return self._from(powers)


PLAIN = Unit()
"""The unit `1` of counts and shares."""
