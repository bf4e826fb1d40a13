"""What a part of the fleet did in one phase, in numbers that add up over processes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce
from typing import TypeVar

from bench.fleet_wire import Carried

NOTHING = Carried()

Key = TypeVar("Key", int, str)
Counts = dict[Key, int]


@dataclass(slots=True, kw_only=True)
class Tally:
    """`messages` and `requests` by second of the monotonic clock, which all processes share. Messages are those between
    boards and broker, both ways. Bodies are payloads and files; `..._carried` all that went over those connections.

    `got`: boards that fetched the release; `ended`: boards by what became of their job; `last_s`: when the last of them
    had its job settled; `repeats`: what was said again because nobody answered.
    """

    boards: int = 0
    messages: Counts[int] = field(default_factory=dict)
    message_bytes: int = 0
    message_carried: Carried = NOTHING
    requests: Counts[int] = field(default_factory=dict)
    body_bytes: int = 0
    body_carried: Carried = NOTHING
    got: int = 0
    ended: Counts[str] = field(default_factory=dict)
    last_s: float = 0.0
    repeats: int = 0

    def message(self, at_s: float, payload: bytes) -> None:
        _count(self.messages, int(at_s))
        self.message_bytes += len(payload)

    def request(self, at_s: float, body: bytes) -> None:
        _count(self.requests, int(at_s))
        self.body_bytes += len(body)

    def settled(self, at_s: float, status: str) -> None:
        _count(self.ended, status)
        self.last_s = max(self.last_s, at_s)

    def then(self, other: Tally) -> Tally:
        """Of the same boards, with what they did afterwards."""
        return self._with(other, boards=self.boards)

    def beside(self, other: Tally) -> Tally:
        """With what other boards did meanwhile."""
        return self._with(other, boards=self.boards + other.boards)

    def _with(self, other: Tally, *, boards: int) -> Tally:
        return Tally(
            boards=boards,
            messages=_added(self.messages, other.messages),
            message_bytes=self.message_bytes + other.message_bytes,
            message_carried=self.message_carried + other.message_carried,
            requests=_added(self.requests, other.requests),
            body_bytes=self.body_bytes + other.body_bytes,
            body_carried=self.body_carried + other.body_carried,
            got=self.got + other.got,
            ended=_added(self.ended, other.ended),
            last_s=max(self.last_s, other.last_s),
            repeats=self.repeats + other.repeats,
        )


def together(tallies: Iterable[Tally]) -> Tally:
    """Of all boards."""
    return reduce(Tally.beside, tallies, Tally())


def peak(by_second: Counts[int]) -> int:
    """The most within a second; 0 without any."""
    return max(by_second.values(), default=0)


def _count(counts: Counts[Key], key: Key) -> None:
    counts[key] = counts.get(key, 0) + 1


def _added(one: Counts[Key], other: Counts[Key]) -> Counts[Key]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in one.keys() | other.keys()}
