"""What a board noticed some time ago, line by line as docs/events.md has it: back to the samples that rules judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec

from drivers.types import Instant, Quality, Quantity, SourceId
from firmware.rules.samples import SEEN_WELL
from firmware.rules.types import Sample
from model.types import Label, Reason

MOST_SOURCES = 1_000  # of one recording: of each signal of each source something is kept
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)  # a clock that is not set: 1970
NS_PER_US, MICROSECOND = 1_000, timedelta(microseconds=1)
REASONS_SEEN_WELL = {each.value for each in SEEN_WELL}


Time = Annotated[datetime, msgspec.Meta(tz=True)]


class _Reading(msgspec.Struct, frozen=True, tag_field="type", tag="reading"):
    source: str
    time: Time
    quantity: str
    value: float | None
    quality: str = Quality.GOOD.value


class _Verdict(msgspec.Struct, frozen=True, tag_field="type", tag="verdict"):
    source: str
    time: Time
    label: Label
    score: float | None = None
    reasons: tuple[str, ...] = ()
    estimated_g_m2: float | None = None


class _Other(msgspec.Struct, frozen=True):
    """An event that rules do not judge."""

    type: str
    time: Time
    source: str = ""


@dataclass(slots=True)
class Recording:
    """Reads lines one by one; what it met on the way is here afterwards.

    Samples come in the order of the lines. A moment that is before the one of the line above, such as after the
    board's clock was set right, counts as that one: `out_of_order` says how many did.
    """

    start: datetime | None = None  # in UTC
    end: datetime | None = None
    events: int = 0
    out_of_order: int = 0
    sources: set[str] = field(default_factory=set)

    def samples(self, lines: Iterable[bytes], problem: Callable[[int, str], Exception]) -> Iterator[Sample]:
        """Raises what `problem` makes of a line that is no event: of its number, from 1, and what is wrong with it."""
        decode = msgspec.json.Decoder(_Reading | _Verdict).decode
        last, last_time = Instant(0), None
        at = last
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                event: _Reading | _Verdict | _Other = decode(line)
            except msgspec.ValidationError:
                event = _other(line, number, problem)
            except (msgspec.DecodeError, ValueError) as error:
                raise problem(number, f"not JSON: {error}") from error
            self.events += 1
            if event.source not in self.sources:
                if len(self.sources) == MOST_SOURCES:
                    raise problem(number, f"more than {MOST_SOURCES} devices: this is not of one board")
                self.sources.add(event.source)
            if event.time != last_time:  # what one sensor measures at once has one time
                if not EARLIEST <= event.time <= LATEST:
                    raise problem(number, f"no board was there at {event.time}")
                last_time = event.time
                self.start = self.start or event.time.astimezone(UTC)
                at = Instant((event.time - self.start) // MICROSECOND * NS_PER_US)
                if at >= last:
                    last, self.end = at, event.time
            self.out_of_order += at < last
            if isinstance(event, _Reading):
                value = event.value if event.quality == Quality.GOOD.value else None
                yield Sample(SourceId(event.source), event.quantity, value, last)
            elif isinstance(event, _Verdict):
                yield from _of_verdict(event, last)


def _other(line: bytes, number: int, problem: Callable[[int, str], Exception]) -> _Other:
    try:
        event = msgspec.json.decode(line, type=_Other)
        if event.type in ("reading", "verdict"):
            msgspec.json.decode(line, type=_Reading | _Verdict)  # which says what is wrong with it
    except (msgspec.DecodeError, ValueError) as error:  # the second for bytes that are no UTF-8
        raise problem(number, f"no event of a board: {error}") from error
    return event


def _of_verdict(event: _Verdict, at: Instant) -> Iterator[Sample]:
    """As `samples.samples` does it with a verdict that is new."""
    source = SourceId(event.source)
    blind = event.label is Label.CANNOT_TELL and not REASONS_SEEN_WELL.issuperset(event.reasons)
    yield Sample(source, Quantity.DIRTY_SCORE.signal, None if blind else event.score, at)
    yield Sample(source, Quantity.ESTIMATED_DEPOSIT.signal, event.estimated_g_m2, at)
    yield Sample(source, Quantity.BLIND.signal, float(blind), at)
    yield Sample(source, Quantity.MOVED.signal, None if blind else float(Reason.MOVED.value in event.reasons), at)
