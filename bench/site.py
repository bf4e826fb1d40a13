"""A site with many rules, for measuring: seven devices with seven signals each, and a fan, told of each second."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

from drivers.types import NS_PER_S, Instant, Quantity, Reading, SourceId
from firmware.rules.parse import parse
from firmware.rules.types import Rule, Sample
from firmware.uplink.wire import WallClock, line

FAN = "fan"
DEVICES = tuple(f"duct-{number}" for number in range(7))
SIGNALS = {  # middle and swing of each
    Quantity.TEMPERATURE: (22.0, 6.0),
    Quantity.HUMIDITY: (50.0, 20.0),
    Quantity.PRESSURE: (1013.0, 8.0),
    Quantity.PM1: (12.0, 8.0),
    Quantity.PM2_5: (20.0, 15.0),
    Quantity.PM10: (30.0, 20.0),
    Quantity.DIFFERENTIAL_PRESSURE: (120.0, 40.0),
}
PLACES = tuple((device, signal) for device in DEVICES for signal in SIGNALS)
WALL = WallClock(offset_ns=1_777_636_800 * NS_PER_S, synchronised=True)
SHORTEST_S, LONGEST_S = 600, 7_200  # of a signal's swing, so that alarms come and go

BY_TIME = 'on_delay = "2min"\noff_delay = "2min"\ntolerance = "30min"\n'
BY_COUNT = 'on_delay = "3 of 4"\noff_delay = "3 of 4"\n'
SUPPRESSED = f"suppress_when = 'of[\"{FAN}\"].fan_running == 0.0'\n"
ABOVE = 'signal = "{own}"\nabove = "{high} {unit}"\ndeadband = "{band} {unit}"\n'
BELOW = 'signal = "{own}"\nbelow = "{low} {unit}"\ndeadband = "{band} {unit}"\n'
MEAN = "when = 'avg({asked}, 10m) > {high} && {beside} > {beside_low}'\n"
JUMP = "when = 'rate({asked}, 15m) > {steep} || max({asked}, 6h) > {highest}'\n"
APART = "when = '{asked} - {elsewhere} > {swing} || {elsewhere} - {asked} > {swing}'\n"
STUCK = "when = 'count({asked}, 1h) >= 30 && stddev({asked}, 1h) < 0.01'\n"
KINDS = (
    *(ABOVE + BY_TIME,) * 6,
    *(BELOW + BY_COUNT,) * 3,
    *(ABOVE + BY_TIME + SUPPRESSED,) * 3,
    *(ABOVE + BY_COUNT + 'latch = true\nre_alarm = "1h"\n',) * 2,
    *(MEAN + BY_TIME,) * 2,
    MEAN + BY_TIME + SUPPRESSED,
    JUMP,
    APART + BY_TIME,
    STUCK + SUPPRESSED,
)
"""Of twenty rules six ask expressions, four of them in windows, and five are suppressed while the fan stands still."""

REST = """severity = "medium"
reference = "a benchmark"
[rule.annotations]
cause = "A filter leaks, or air comes in from where it should not."
consequence = "What is supplied is not what was promised."
action = "Look at the filter, then at the dampers."
"""


def rules(count: int) -> tuple[Rule, ...]:
    return parse(rules_file(count), "bench.toml")


def rules_file(count: int) -> str:
    """So many, evenly on all signals, each with a limit of its own."""
    return "".join(f'[[rule]]\nname = "rule_{number}"\n{_body(number)}{REST}' for number in range(count))


def _body(number: int) -> str:
    device, signal = PLACES[number % len(PLACES)]
    beside = tuple(SIGNALS)[(tuple(SIGNALS).index(signal) + 1) % len(SIGNALS)]
    elsewhere = DEVICES[(DEVICES.index(device) + 1) % len(DEVICES)]
    middle, swing = SIGNALS[signal]
    share = 0.5 + number % 97 / 200  # of the swing
    return KINDS[number % len(KINDS)].format(
        own=f"{device}.{signal.signal}",
        asked=f'of["{device}"].{signal.signal}',
        beside=f'of["{device}"].{beside.signal}',
        elsewhere=f'of["{elsewhere}"].{signal.signal}',
        unit=signal.unit,
        high=round(middle + share * swing, 3),
        low=round(middle - share * swing, 3),
        beside_low=round(SIGNALS[beside][0] - share * SIGNALS[beside][1], 3),
        highest=round(middle + 0.99 * swing, 3),
        steep=round(swing * 30 * share, 3),
        swing=swing,
        band=round(swing / 5, 3),
    )


def seconds(count: int, *, every: int = 1) -> Iterator[list[Sample]]:
    """What is said within so many seconds, each `every` of them: by each device of each signal, and by the fan."""
    chance = random.Random(5)
    periods_s = [chance.uniform(SHORTEST_S, LONGEST_S) for _ in PLACES]
    for second in range(0, count, every):
        at = Instant(second * NS_PER_S)
        yield [
            *(
                Sample(SourceId(device), signal.signal, _value(signal, second / period_s, chance), at)
                for (device, signal), period_s in zip(PLACES, periods_s, strict=True)
            ),
            Sample(SourceId(FAN), Quantity.FAN_RUNNING.signal, float(second % 3_600 < 3_000), at),
        ]


def recording(count: int) -> Iterator[str]:
    """The same as a board writes it: some 10,000 bytes a second."""
    quantities = {quantity.signal: quantity for quantity in Quantity}
    for said in seconds(count):
        for one in said:
            assert one.value is not None
            reading = Reading(source=one.source, quantity=quantities[one.signal], value=one.value, at=one.at)
            yield line(reading, WALL) + "\n"


def _value(signal: Quantity, swings: float, chance: random.Random) -> float:
    middle, swing = SIGNALS[signal]
    return round(middle + swing * (math.sin(2 * math.pi * swings) + 0.1 * chance.uniform(-1, 1)), 3)
