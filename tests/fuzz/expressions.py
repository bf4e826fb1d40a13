"""Any text as an expression: it is refused with its place, or it answers, and what is unknown changes no answer."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from drivers.types import Instant, SourceId
from firmware.rules.expression.compile import Condition, compile_rule
from firmware.rules.expression.errors import BadExpression
from firmware.rules.expression.parse import BINDING, FUNCTIONS
from firmware.rules.names import SIGNALS
from firmware.rules.tracks import Bound, Tracks
from firmware.rules.types import Sample
from tests.fuzz.pages import blocks

MAX_BYTES = 2_100
WORDS = (
    *SIGNALS,
    *FUNCTIONS,
    *BINDING,
    "?",
    ":",
    "!",
    "(",
    ")",
    'of["duct-pm"].',
    "10m",
    "1h30m",
    '"ug/m3"',
    "true",
    "[",
)
DEVICE = SourceId("duct-pm")
VALUES = (None, 0.0, -0.0, 1.0, -1.0, 35.0, 70.0, 1e308, -1e308, 5e-324, 2.0**63, 0.1)
END = b"\0"
"""Between an expression and the values that it is asked for."""


def seeds() -> Iterable[bytes]:
    for block in blocks("expressions.md", "cel"):
        yield from (line.encode() + END + bytes(range(12)) for line in block.splitlines())


def check(data: bytes) -> None:
    written, _, numbers = data.partition(END)
    text = written.decode("utf-8", "replace")
    try:
        condition = compile_rule(text)
    except BadExpression as refused:
        assert 0 <= refused.start <= refused.end <= len(text), refused
        assert refused.problem
        return
    values = list(_values(numbers, len(condition.signals) + len(condition.windows)))
    answer = condition.ask(values)
    assert answer in (True, False, None)
    for place in range(len(values)):
        unsure = condition.ask([*values[:place], None, *values[place + 1 :]])
        assert unsure in (answer, None), (text, values, place)
    _asked_in_time(condition, values)


def _asked_in_time(condition: Condition, values: list[float | None]) -> None:
    tracks = Tracks([condition])
    for second, ref in enumerate(condition.mentioned):
        source = ref.device or DEVICE
        sample = Sample(source, ref.signal, values[second % len(values)], Instant(second * 10**9))
        tracks.feed(sample, (source, ref.signal))
    bound = Bound(
        condition, tracks, DEVICE, tolerance_ns=10**10, units={name: one.unit for name, one in SIGNALS.items()}
    )
    for second in (0, 1, 60, 10**9):
        assert bound.ask(Instant(second * 10**9)) in (True, False, None)
        assert bound.shown(Instant(second * 10**9))


def _values(numbers: bytes, count: int) -> Iterator[float | None]:
    """A byte names one of VALUES; the highest one says that the next eight are a number."""
    place = 0
    for _ in range(count):
        first = numbers[place] if place < len(numbers) else 0
        place += 1
        if first == 0xFF and place + 8 <= len(numbers):
            (value,) = struct.unpack("<d", numbers[place : place + 8])
            place += 8
            yield value if abs(value) < float("inf") else None
        else:
            yield VALUES[first % len(VALUES)]
