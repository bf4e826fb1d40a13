"""Any lines as a recording: one that is no event is refused by its number, and the others replay in time."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable

from drivers.types import Instant, Quantity
from firmware.events import Event
from firmware.plan import DEFAULT_RULES, load_rules
from firmware.rules.recording import Recording
from firmware.rules.replay import replay
from firmware.rules.types import Sample
from firmware.uplink.wire import WallClock, line
from model.types import Label, Reason
from tests.builders import reading, verdict

MAX_BYTES = 1_500
WORDS = (
    *('"type":"reading"', '"type":"verdict"', '"time":"2026-05-01T12:00:00Z"', '"value":', "null", '"quality":"good"'),
    *('"reasons":[', '"label":"DIRTY"', "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "1e999", "\n", "pm2_5"),
)
RULES = load_rules(DEFAULT_RULES)[:3]


class Refused(Exception):
    """Of a line, by its number."""


def seeds() -> Iterable[bytes]:
    wall = WallClock(offset_ns=1_777_636_800 * 10**9, synchronised=True)
    events: list[Event] = [
        *(reading(value, taken_s=second) for second, value in enumerate((12.5, 40.0, 300.0))),
        reading(99.0, quantity=Quantity.HUMIDITY, taken_s=4),
        verdict(Label.DIRTY, score=0.9),
        verdict(Label.CANNOT_TELL, score=None, reasons=(Reason.DARK,)),
    ]
    lines = [line(event, wall) for event in events]
    yield from (each.encode() for each in lines)
    yield "\n".join(lines).encode()
    yield json.dumps({"type": "alarm", "time": "2026-05-01T12:00:00Z"}).encode()


def check(data: bytes) -> None:
    lines = data.split(b"\n")
    samples: list[Sample] = []
    recording = Recording()
    try:
        samples.extend(recording.samples(lines, _problem))
    except Refused as refused:
        number, problem = refused.args
        assert 1 <= number <= len(lines)
        assert problem
    last = Instant(0)
    for sample in samples:
        assert sample.at >= last
        assert sample.value is None or math.isfinite(sample.value)
        last = sample.at
    replayed = replay(samples, RULES)
    assert replayed.samples == len(samples)


def _problem(number: int, problem: str) -> Exception:
    return Refused(number, problem)
