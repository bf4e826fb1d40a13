"""The simulated duct: how dirty it is, what the air in it is like, who has switched the light on."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from drivers.clock import Clock
from drivers.settings import Duration
from drivers.simulated.course import along, chance, drift, number, wave
from drivers.simulated.faults import Fault, Faults
from drivers.types import NS_PER_S, Instant, SourceId

DAY_S = 86_400.0
START_S = 8 * 3600.0  # the run begins at eight in the morning
FAN_ON_S, FAN_OFF_S = 5 * 3600.0, 22 * 3600.0  # night set-back, as most offices have it

DEPOSIT_G_M2 = ((0.0, 0.02), (12.0, 0.3), (24.0, 1.2), (32.0, 2.6), (40.0, 6.0), (60.0, 11.0), (90.0, 16.0))
"""Dust over seconds: what takes a real duct years, at a speed one can watch. For its limits see EN 15780."""

BURST_EVERY_S = 600.0
BURST_UG_M3 = ((0.0, 0.0), (4.0, 90.0), (14.0, 60.0), (34.0, 0.0))  # PM2.5 over seconds: somebody works upstream


@dataclass(frozen=True, slots=True, kw_only=True)
class Air:
    """The air in the duct, without the noise and the steps of the sensor that measures it."""

    temperature_c: float
    humidity_percent: float
    pressure_hpa: float
    gas_ohm: float
    pm1_ug_m3: float
    pm2_5_ug_m3: float
    pm10_ug_m3: float


class World:
    """One simulated duct, shared by all simulated devices of a board.

    Everything is a function of the seed and of the moment asked for, but for the light, which a simulated
    light switches. The duct's time starts when the world is made. Any thread may ask; only the event loop switches.
    """

    def __init__(self, seed: int, clock: Clock, faults: Faults) -> None:
        self.seed = seed
        self._faults = faults
        self.light = 0.0  # what the light was told, 0..1
        self._clock = clock
        self._origin = clock.now()

    def elapsed_s(self, at: Instant) -> float:
        return (at - self._origin) / NS_PER_S

    def moment(self, elapsed: Duration) -> Instant:
        """When that much of the duct's time has passed since the start."""
        return Instant(self._origin + elapsed.ns)

    def key(self, *parts: object) -> str:
        """A key for `drivers.simulated.course` that belongs to this world alone."""
        return "/".join(map(str, (self.seed, *parts)))

    def fails(self, fault: Fault, device: SourceId | None = None) -> bool:
        """Whether the fault holds now."""
        return self.failing_s(fault, device, self._clock.now()) is not None

    def failing_s(self, fault: Fault, device: SourceId | None, at: Instant) -> float | None:
        """For how many seconds the fault has held at that moment; None if it does not."""
        elapsed_ns = at - self._origin
        since_ns = self._faults.since_ns(fault, device, elapsed_ns)
        return None if since_ns is None else (elapsed_ns - since_ns) / NS_PER_S

    def edges(self, fault: Fault) -> tuple[Instant, ...]:
        """The moments at which the fault begins or ends, in order: for whoever carries it out."""
        return tuple(Instant(self._origin + edge_ns) for edge_ns in self._faults.edges_ns(fault))

    def light_in_duct(self) -> float:
        """What the light gives now, 0..1: nothing, while it is dead."""
        return 0.0 if self.fails(Fault.LED_DEAD) else self.light

    def deposit_g_m2(self, at: Instant, pace: float) -> float:
        """Mean dust on the duct's walls. `pace` is how fast a place gets dirty, 1 being usual."""
        seeds_own = 0.95 + 0.1 * chance(self.key("pace"))
        return along(DEPOSIT_G_M2, self._gathering_s(at) * pace * seeds_own)

    def _gathering_s(self, at: Instant) -> float:
        """For how long dust has settled since the walls were clean."""
        if self.failing_s(Fault.DUCT_CLEANED, None, at) is not None:
            return 0.0
        cleaned = [edge for edge in self.edges(Fault.DUCT_CLEANED) if edge <= at]
        return (at - max(cleaned, default=self._origin)) / NS_PER_S

    def scenes(self, place: str) -> Iterator[int]:
        """Seeds of scenes that may be seen from there, without end, to choose the first fitting one from."""
        return (number(self.key("scene", place, candidate)) for candidate in itertools.count())

    def fan_running(self, at: Instant) -> bool:
        of_day_s = (START_S + self.elapsed_s(at)) % DAY_S
        return FAN_ON_S <= of_day_s < FAN_OFF_S and self.failing_s(Fault.FAN_OFF, None, at) is None

    def fan_may_change(self, after: Instant) -> Instant:
        """The next moment after `after` at which the fan may start or stop."""
        midnight_s = (START_S + self.elapsed_s(after)) // DAY_S * DAY_S - START_S
        by_day = (
            Instant(self._origin + round((midnight_s + day_s + switched_s) * NS_PER_S))
            for day_s in (0, DAY_S)
            for switched_s in (FAN_ON_S, FAN_OFF_S)
        )
        return min(moment for moment in (*by_day, *self.edges(Fault.FAN_OFF)) if moment > after)

    def air(self, at: Instant) -> Air:
        time_s = self.elapsed_s(at)
        day = (START_S + time_s) / DAY_S
        temperature_c = 21.5 + 1.8 * wave(day - 0.375) + 0.25 * drift(self.key("temperature"), time_s, 120)
        humidity = 44 - 6 * wave(day - 0.375) + 1.2 * drift(self.key("humidity"), time_s, 180)
        pm2_5 = max(1.0, 6 + 2.5 * wave(2 * day - 0.1) + 1.2 * drift(self.key("dust"), time_s, 45))
        burst = self._burst_ug_m3(time_s)
        if not self.fan_running(at):  # what floats has settled, and nothing new is blown in
            pm2_5, burst = 0.3 * pm2_5, 0.0
        return Air(
            temperature_c=temperature_c,
            humidity_percent=humidity,
            pressure_hpa=1006 + 6 * drift(self.key("pressure"), time_s, 6 * 3600),
            gas_ohm=1500 * (190 - humidity) * (1 + 0.05 * drift(self.key("gas"), time_s, 90)) / (1 + burst / 150),
            pm1_ug_m3=0.65 * pm2_5 + 0.4 * burst,
            pm2_5_ug_m3=pm2_5 + burst,
            pm10_ug_m3=1.25 * pm2_5 + 1.7 * burst,
        )

    def _burst_ug_m3(self, time_s: float) -> float:
        window = int(time_s // BURST_EVERY_S)
        begins_s = window * BURST_EVERY_S + 60 + 20 * chance(self.key("burst", window))
        return along(BURST_UG_M3, time_s - begins_s)
