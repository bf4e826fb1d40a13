"""What is known of the signals that expressions ask for, and expressions bound to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from drivers.types import Instant, SourceId
from firmware.rules.expression.compile import Condition
from firmware.rules.expression.tree import SignalRef
from firmware.rules.expression.windows import History
from firmware.rules.types import Sample, quantity

TOLD = 4  # values in the reason of a move
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
        self.unknown = value is None or value != value
        if not self.unknown:
            self.value, self.known_at = value, at
            self.history.feed(value, at)

    def held(self, now: Instant, tolerance_ns: int | None) -> float | None:
        """The last value, unless something unknown came after it, or it is older than the tolerance."""
        if self.unknown or (tolerance_ns is not None and now - self.known_at >= tolerance_ns):
            return None
        return self.value


class Tracks:
    """Those of all sources, for all signals that any expression mentions."""

    def __init__(self, conditions: Iterable[Condition], earlier: Tracks | None = None) -> None:
        """What `earlier` knows of signals that are asked for in the same windows goes on."""
        self._durations_ns: dict[str, set[int]] = {}
        for condition in conditions:
            for ref in condition.mentioned:
                self._durations_ns.setdefault(ref.signal, set())
            for window in condition.windows:
                if window.duration_ns:
                    self._durations_ns[window.signal].add(window.duration_ns)
        self._tracks: dict[Place, Track] = {}
        if earlier is not None:
            for place, track in earlier._tracks.items():
                if earlier._durations_ns[place[1]] == self._durations_ns.get(place[1]):
                    self._tracks[place] = track

    def sources(self, signal: str) -> list[SourceId]:
        """Those that have said something of it."""
        return [source for source, name in self._tracks if name == signal]

    def mentions(self, signal: str) -> bool:
        return signal in self._durations_ns

    def feed(self, sample: Sample) -> bool:
        """Whether this is the first that this source says of this signal."""
        place = (sample.source, sample.signal)
        track = self._tracks.get(place)
        if track is not None:
            track.feed(sample.value, sample.at)
            return False
        if sample.signal not in self._durations_ns:
            return False
        track = self._tracks[place] = Track(self._durations_ns[sample.signal])
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

    __slots__ = ("_condition", "_shown", "_signals", "_tolerance_ns", "_windows", "places")

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
        self._condition = condition
        self._tolerance_ns = tolerance_ns
        found = {ref: tracks.place(ref, own) for ref in condition.mentioned}
        self.places = frozenset(place for place in found.values() if place is not None)
        self._signals = [tracks.get(found[ref]) for ref in condition.signals]
        self._windows = [(tracks.get(found[window.of]), window) for window in condition.windows]
        self._shown = [(_name(ref), units[ref.signal]) for ref in condition.signals]

    def ask(self, now: Instant) -> bool | None:
        tolerance_ns = self._tolerance_ns
        values = [None if track is None else track.held(now, tolerance_ns) for track in self._signals]
        for track, window in self._windows:
            values.append(None if track is None else track.history.ask(window.function, window.duration_ns, now))
        return self._condition.ask(values)

    def shown(self, now: Instant) -> str:
        """The first values that it asks for: `pm2_5 40 ug/m3, avg(humidity) 80`."""
        return ", ".join(list(self._values(now))[:TOLD])

    def _values(self, now: Instant) -> Iterator[str]:
        for track, (name, unit) in zip(self._signals, self._shown, strict=True):
            value = None if track is None else track.held(now, self._tolerance_ns)
            yield f"{name} {'unknown' if value is None else quantity(value, unit)}"
        for track, window in self._windows:
            value = None if track is None else track.history.ask(window.function, window.duration_ns, now)
            yield f"{window.function.value}({_name(window.of)}) {'unknown' if value is None else f'{value:.6g}'}"


def _name(ref: SignalRef) -> str:
    return ref.signal if ref.device is None else f'of["{ref.device}"].{ref.signal}'
