"""Chooses format, size and rate from what a camera offers, and says why. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from drivers.types import PixelFormat

NEARLY = Fraction(101, 100)  # cameras count intervals in 100 ns: their 30/s may be 29.99994


@dataclass(frozen=True, slots=True)
class Size:
    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"

    @property
    def area(self) -> int:
        return self.width * self.height

    def covers(self, other: Size) -> bool:
        return self.width >= other.width and self.height >= other.height

    def same_shape(self, other: Size) -> bool:
        return self.width * other.height == self.height * other.width


@dataclass(frozen=True, slots=True)
class Steps:
    """Sizes between two bounds in steps, as V4L2_FRMSIZE_TYPE_STEPWISE and _CONTINUOUS (step 1) offer them."""

    smallest: Size
    largest: Size
    step: Size

    def clamp(self, wanted: Size) -> Size:
        return Size(
            _on_grid(wanted.width, self.smallest.width, self.largest.width, self.step.width),
            _on_grid(wanted.height, self.smallest.height, self.largest.height, self.step.height),
        )


@dataclass(frozen=True, slots=True)
class Offer:
    """One pixel format and its sizes, single ones or ranges; none if the camera does not list them."""

    pixel_format: PixelFormat
    sizes: Sequence[Size | Steps]


@dataclass(frozen=True, slots=True)
class Rates:
    """Frames a second that a camera offers at one size: single rates, or all between two bounds."""

    single: Sequence[Fraction] = ()
    slowest: Fraction | None = None
    fastest: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """What to ask the camera for. `reason` is empty where the wish is met, else a clause for people."""

    pixel_format: PixelFormat
    size: Size
    reason: str

    def granted(self, size: Size) -> Choice:
        """This choice as the driver took it: it may take another size than it listed."""
        if size == self.size:
            return self
        return Choice(self.pixel_format, size, f"the driver does not take {self.size}")


class NoMatch(Exception):
    """Nothing that the camera offers can be used. The message says what it offers."""


def choose_picture(offers: Sequence[Offer], formats: Sequence[PixelFormat], wanted: Size) -> Choice:
    """The first of `formats` that is offered; in it the size itself, else the next larger of the same shape,
    else the nearest in area. Raises `NoMatch`.
    """
    usable = {offer.pixel_format: offer for offer in offers}
    for wish in formats:
        if wish in usable:
            size, reason = _choose_size(usable[wish].sizes, wanted)
            if wish is not formats[0]:
                reason = "; ".join(filter(None, (f"{formats[0].value} is not offered", reason)))
            return Choice(wish, size, reason)
    names = " or ".join(wish.value for wish in formats)
    raise NoMatch(
        f"offers no {names}, only {', '.join(offer.pixel_format.value for offer in offers) or 'other formats'}"
    )


def choose_rate(rates: Rates, wanted: Fraction) -> tuple[Fraction | None, str]:
    """The slowest rate that is not below `wanted`, which leaves the most of the bus to the second camera,
    else the fastest; with a clause for people where that is less than wanted. None: the camera names no rates.
    """
    candidates = sorted(rate for rate in rates.single if rate > 0)
    if rates.slowest is not None and rates.fastest is not None:
        candidates.append(min(max(wanted, rates.slowest), rates.fastest))
    if not candidates:
        return None, ""
    enough = [rate for rate in candidates if rate * NEARLY >= wanted]
    if enough:
        return min(enough), ""
    best = max(candidates)
    return best, f"{spoken(best)} is the fastest at this size, {spoken(wanted)} was wanted"


def spoken(rate: Fraction) -> str:
    """A rate as people write it: `30/s`, `7.5/s`."""
    return f"{float(rate):.4g}/s"


def describe(card: str, choice: Choice, rate: Fraction | None, notes: Sequence[str] = ()) -> str:
    """`UVC HD Camera, 1280x720 MJPG, 30/s`, and in brackets whatever differs from the wish."""
    parts = [card, f"{choice.size} {choice.pixel_format.value}"]
    if rate is not None:
        parts.append(spoken(rate))
    remarks = "; ".join(filter(None, (choice.reason, *notes)))
    return ", ".join(parts) + (f" ({remarks})" if remarks else "")


def _choose_size(sizes: Sequence[Size | Steps], wanted: Size) -> tuple[Size, str]:
    candidates = [size for offer in sizes for size in _candidates(offer, wanted)]
    if wanted in candidates or not candidates:
        return wanted, ""
    larger = [size for size in candidates if size.covers(wanted) and size.same_shape(wanted)]
    if larger:
        return min(larger, key=lambda size: size.area), f"{wanted} is not offered: the next larger of the same shape"
    nearest = min(candidates, key=lambda size: (abs(size.area - wanted.area), -size.area))
    return nearest, f"{wanted} is not offered: the nearest"


def _candidates(offer: Size | Steps, wanted: Size) -> list[Size]:
    """Of a range: the grid point nearest the wish, and the smallest larger one of the same shape if there is one."""
    if isinstance(offer, Size):
        return [offer]
    nearest = offer.clamp(wanted)
    step = max(offer.step.width, 1)
    start = nearest.width if nearest.width >= wanted.width else nearest.width + step
    for width in range(start, offer.largest.width + 1, step):
        height, rest = divmod(width * wanted.height, wanted.width)
        size = Size(width, height)
        if not rest and size.covers(wanted) and offer.clamp(size) == size:
            return [nearest, size]
    return [nearest]


def _on_grid(value: int, smallest: int, largest: int, step: int) -> int:
    """The point of the grid nearest to `value`; a step of 0, as some drivers say, is one of 1."""
    step = max(step, 1)
    last = smallest + (largest - smallest) // step * step
    return min(max(smallest + round((value - smallest) / step) * step, smallest), last)
