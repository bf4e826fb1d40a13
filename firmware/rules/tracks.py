"""What is known of the signals that expressions ask for, and expressions bound to them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from math import isfinite

from drivers.types import Instant, SourceId
from firmware.rules.expression.compile import Condition
from firmware.rules.expression.tree import SignalRef, WindowRef
from firmware.rules.expression.windows import History, Question
from firmware.rules.types import Sample, quantity

TOLD = 4  # values in the reason of a move
NEVER_NS = 2**63  # longer than any board lives
Place = tuple[SourceId, str]
"""One signal of one source."""


class Track:
    """The last value of one signal of one source, and its windows."""

    __slots__ = ("history", "known_at", "unknown", "value")

    def __init__(self, durations_ns: Iterable[int]) -> None:
        self.history = History(frozenset(durations_ns))
        self.value: float | None = None
        self.known_at = Instant(0)
        self.unknown = True

    def feed(self, value: float | None, at: Instant) -> None:
        if self.value is not None and at < self.known_at:
            return
        self.unknown = value is None or not isfinite(value)
        if not self.unknown:
            self.value, self.known_at = value, at
            self.history.feed(value, at)

    def held(self, now: Instant, tolerance_ns: int) -> float | None:
        """The last value, unless something unknown came after it, or it is older than the tolerance."""
        return None if self.unknown or now - self.known_at >= tolerance_ns else self.value


NEVER_HEARD = Track(())


class Tracks:
    """Those of all sources, for all signals that any expression mentions."""

    def __init__(self, conditions: Iterable[Condition]) -> None:
        self._signals: set[str] = set()
        self._durations_ns: dict[SignalRef, set[int]] = {}
        for condition in conditions:
            self._signals.update(ref.signal for ref in condition.mentioned)
            for window in condition.windows:
                if window.duration_ns:
                    self._durations_ns.setdefault(window.of, set()).add(window.duration_ns)
        self._tracks: dict[Place, Track] = {}

    def _windows(self, place: Place) -> set[int]:
        """The durations, in ns, that any expression asks of this very source."""
        source, signal = place
        asked_of = (SignalRef(None, signal), SignalRef(source, signal))
        return {duration_ns for ref in asked_of for duration_ns in self._durations_ns.get(ref, ())}

    def places(self) -> list[Place]:
        """Those that something was said of, or is expected to be."""
        return list(self._tracks)

    def expect(self, place: Place) -> None:
        """It is known that this source has this signal: no other is asked in its stead until it speaks."""
        if place[1] in self._signals and place not in self._tracks:
            self._tracks[place] = Track(self._windows(place))

    def mentions(self, signal: str) -> bool:
        return signal in self._signals

    def feed(self, sample: Sample, place: Place) -> bool:
        """Whether this is the first that this source says of this signal: one that is mentioned."""
        track = self._tracks.get(place)
        if track is not None:
            track.feed(sample.value, sample.at)
            return False
        track = self._tracks[place] = Track(self._windows(place))
        track.feed(sample.value, sample.at)
        return True

    def place(self, ref: SignalRef, own: SourceId) -> Place | None:
        """Where the signal comes from: the device that is named; else `own`, if it has it; else the only one that has.

        None if there is none yet, or if there are several and none is meant.
        """
        if ref.device is not None:
            return (ref.device, ref.signal)
        if (own, ref.signal) in self._tracks:
            return (own, ref.signal)
        having = [place for place in self._tracks if place[1] == ref.signal]
        return having[0] if len(having) == 1 else None

    def get(self, place: Place | None) -> Track | None:
        return None if place is None else self._tracks.get(place)


class Bound:
    """An expression that asks the signals of certain sources."""

    __slots__ = ("_answer", "_questions", "_shown", "_signals", "_tolerance_ns", "condition", "key", "places")

    def __init__(
        self,
        condition: Condition,
        tracks: Tracks,
        own: SourceId,
        *,
        tolerance_ns: int | None,
        units: Mapping[str, str],
    ) -> None:
        """`units` are those of the signals; None of `tolerance_ns` is for ever."""
        self.condition = condition
        self._answer = condition.ask
        self._tolerance_ns = NEVER_NS if tolerance_ns is None else tolerance_ns
        found = {ref: tracks.place(ref, own) for ref in condition.mentioned}
        self.places = frozenset(place for place in found.values() if place is not None)
        self.key: Hashable = (condition, tolerance_ns, tuple(found.values()))
        """Alike for all that have the same answer at any time."""
        self._signals = [tracks.get(found[ref]) or NEVER_HEARD for ref in condition.signals]
        self._questions = [_question(tracks.get(found[window.of]), window) for window in condition.windows]
        self._shown = [(_name(ref), units[ref.signal]) for ref in condition.signals]

    def ask(self, now: Instant) -> bool | None:
        tolerance_ns = self._tolerance_ns
        values = []
        for track in self._signals:  # no comprehensions: in 3.11 each is a call, and this is where the time goes
            values.append(track.held(now, tolerance_ns))  # noqa: PERF401
        for question in self._questions:
            values.append(question(now))  # noqa: PERF401
        return self._answer(values)

    def shown(self, now: Instant) -> str:
        """The first values that it asks for: `pm2_5 40 ug/m3, avg(humidity) 80`."""
        return ", ".join(list(self._values(now))[:TOLD])

    def _values(self, now: Instant) -> Iterator[str]:
        for track, (name, unit) in zip(self._signals, self._shown, strict=True):
            value = track.held(now, self._tolerance_ns)
            yield f"{name} {'unknown' if value is None else quantity(value, unit)}"
        for question, window in zip(self._questions, self.condition.windows, strict=True):
            value = question(now)
            yield f"{window.function.value}({_name(window.of)}) {'unknown' if value is None else f'{value:.6g}'}"


def _question(track: Track | None, window: WindowRef) -> Question:
    return _unknown if track is None else track.history.question(window.function, window.duration_ns)


def _unknown(_: Instant) -> None:
    return None


def _name(ref: SignalRef) -> str:
    return ref.signal if ref.device is None else f'of["{ref.device}"].{ref.signal}'
