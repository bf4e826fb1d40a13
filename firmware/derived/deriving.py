"""What follows from each observation: readings of quantities that no device measures. Knows neither clock nor files."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

from drivers.types import Instant, Quality, Quantity, Reading, SourceId
from firmware.derived import aqi
from firmware.derived.dirt_rate import DirtRate, days_to, forecast
from firmware.derived.filter_load import load_percent
from firmware.derived.gas_index import GasBaseline
from firmware.derived.hourly import STANDS_NS, Hourly
from firmware.derived.humid_air import absolute_humidity_g_m3, dew_point_cel
from firmware.derived.memory import Memory
from firmware.derived.mould_index import Mould
from firmware.derived.nowcast import NowCast
from firmware.derived.pm_correction import corrected_ug_m3
from firmware.derived.wiring import Wiring
from firmware.observations import Observation
from model.types import Verdict

KEPT = {Quantity.TEMPERATURE, Quantity.HUMIDITY, Quantity.FAN_RUNNING}
"""Whose last value others are derived with."""

DECIMALS = 4  # of what is told: more would be noise that a broker is paid for


class Deriver:
    """Takes observations in the order of their time. A derived reading comes with one of them, never by itself.

    Only good readings count. One that needs another's value takes the last that is at most 15 minutes old.
    """

    def __init__(self, wiring: Wiring, remembered: Mapping[SourceId, Memory] | None = None) -> None:
        """`remembered` is what an earlier deriver's `memory` held, moved to this clock; other devices' is dropped."""
        self._wiring = wiring
        self.memory: dict[SourceId, Memory] = {
            source: memory for source, memory in (remembered or {}).items() if source in wiring.derived
        }
        self._last: dict[tuple[SourceId, Quantity], Reading] = {}
        self._fan_stands = False
        self._told: set[SourceId] = set()  # cameras whose forecast was told in this run
        self._derive: dict[Quantity, Callable[[Reading], Iterator[Reading]]] = {
            Quantity.HUMIDITY: self._air,
            Quantity.GAS_RESISTANCE: self._gas,
            Quantity.PM2_5: self._fine_dust,
            Quantity.PM10: self._coarse_dust,
            Quantity.DIFFERENTIAL_PRESSURE: self._filter,
        }

    def feed(self, observation: Observation) -> tuple[Reading, ...]:
        """The readings that follow from one observation, in the order in which they are to be told."""
        match observation:
            case Reading(quality=Quality.GOOD) if math.isfinite(observation.value):
                found = self._of_reading(observation)
            case Verdict():
                found = self._deposit(observation)
            case _:
                return ()
        wanted = self._wiring.derived
        return tuple(one for one in found if one.quantity in wanted.get(one.source, ()) and math.isfinite(one.value))

    def _of_reading(self, reading: Reading) -> Iterator[Reading]:
        if reading.quantity in KEPT:
            self._last[reading.source, reading.quantity] = reading
        if reading.quantity is Quantity.FAN_RUNNING:
            self._fan_stands = reading.value < 0.5
        if reading.quantity in self._derive and reading.source in self._wiring.measured:
            yield from self._derive[reading.quantity](reading)

    def _air(self, humidity: Reading) -> Iterator[Reading]:
        source, at = humidity.source, humidity.at
        temperature = self._known(source, Quantity.TEMPERATURE, at)
        if temperature is None or (dew := dew_point_cel(temperature, humidity.value)) is None:
            return
        yield _reading(source, Quantity.DEW_POINT, dew, at)
        if self._wiring.surface is None:
            yield _reading(source, Quantity.CONDENSATION_MARGIN, temperature - dew, at)
        elif source == self._wiring.climate:
            surface = self._known(self._wiring.surface, Quantity.TEMPERATURE, at)
            if surface is not None:
                yield _reading(self._wiring.surface, Quantity.CONDENSATION_MARGIN, surface - dew, at)
        memory = self._memory(source)
        if memory.mould is None:
            memory.mould = Mould(Hourly(at, temperature, at), Hourly(at, humidity.value, at))
        if memory.mould.feed(temperature, humidity.value, at):
            yield _reading(source, Quantity.MOULD_INDEX, memory.mould.index, at)

    def _gas(self, resistance: Reading) -> Iterator[Reading]:
        source, at = resistance.source, resistance.at
        temperature = self._known(source, Quantity.TEMPERATURE, at)
        humidity = self._known(source, Quantity.HUMIDITY, at)
        if temperature is None or humidity is None:
            return
        water = absolute_humidity_g_m3(temperature, humidity)
        memory = self._memory(source)
        memory.gas = memory.gas or GasBaseline()
        if water is not None and (found := memory.gas.feed(resistance.value, water, at)) is not None:
            quality = Quality.LEARNING if memory.gas.learning else Quality.GOOD
            yield _reading(source, Quantity.GAS_INDEX, found, at, quality)

    def _fine_dust(self, raw: Reading) -> Iterator[Reading]:
        source, at, value = raw.source, raw.at, raw.value
        if self._wiring.corrects(source):
            corrected = self._corrected(raw)
            if corrected is None:
                return
            yield _reading(source, Quantity.PM2_5_CORRECTED, corrected, at)
            value = corrected
        memory = self._memory(source)
        memory.pm2_5 = memory.pm2_5 or NowCast(Hourly(_hour_of(memory.pm10, at), value, at))
        if memory.pm2_5.feed(max(0.0, value), at):
            if memory.pm2_5.value is not None:
                yield _reading(source, Quantity.NOWCAST_PM2_5, memory.pm2_5.value, at)
            if memory.pm10 is None:  # otherwise with that, which comes after this
                yield from self._aqi(source, at)

    def _coarse_dust(self, raw: Reading) -> Iterator[Reading]:
        source, at = raw.source, raw.at
        memory = self._memory(source)
        memory.pm10 = memory.pm10 or NowCast(Hourly(_hour_of(memory.pm2_5, at), raw.value, at))
        if memory.pm10.feed(max(0.0, raw.value), at):
            if memory.pm10.value is not None:
                yield _reading(source, Quantity.NOWCAST_PM10, memory.pm10.value, at)
            yield from self._aqi(source, at)

    def _aqi(self, source: SourceId, at: Instant) -> Iterator[Reading]:
        """The highest index of those that are known, as the EPA reports it."""
        memory = self._memory(source)
        scales = ((memory.pm2_5, aqi.PM2_5), (memory.pm10, aqi.PM10))
        casts = [(cast.value, scale) for cast, scale in scales if cast is not None]
        indices = [aqi.index(value, scale) for value, scale in casts if value is not None]
        known = [index for index in indices if index is not None]
        if known:
            yield _reading(source, Quantity.AQI, max(known), at)

    def _corrected(self, raw: Reading) -> float | None:
        climate = self._wiring.climate
        humidity = None if climate is None else self._known(climate, Quantity.HUMIDITY, raw.at)
        return None if humidity is None else corrected_ug_m3(raw.value, humidity, self._wiring.masses)

    def _filter(self, drop: Reading) -> Iterator[Reading]:
        of = self._wiring.pressure_drop
        if of is None or self._fan_stands or (load := load_percent(drop.value, of)) is None:
            return
        yield _reading(drop.source, Quantity.FILTER_LOAD, load, drop.at)

    def _deposit(self, verdict: Verdict) -> Iterator[Reading]:
        """With the first estimate of each day, and of each run."""
        source, at = verdict.source, verdict.at
        if verdict.degree is None or not math.isfinite(verdict.degree.g_m2):
            return
        memory = self._memory(source)
        memory.dirt = memory.dirt or DirtRate(at)
        if not memory.dirt.feed(verdict.degree.g_m2, at) and source in self._told:
            return
        self._told.add(source)
        if (found := forecast(memory.dirt.past, self._wiring.limit_g_m2)) is not None:
            yield _reading(source, Quantity.DIRT_RATE, found.rate, at)
            yield _reading(source, Quantity.DAYS_TO_LIMIT, found.days, at)
            yield _reading(source, Quantity.DAYS_TO_LIMIT_LOW, found.days_low, at)
            yield _reading(source, Quantity.DAYS_TO_LIMIT_HIGH, found.days_high, at)

    def cleaned(self, deposits_g_m2: Mapping[SourceId, float], at: Instant) -> tuple[Reading, ...]:
        """The duct was cleaned, to so much in the pictures of each camera: how dirty it was before says nothing more.

        How fast it gets dirty does, until the rate is known anew: the days to the limit are told by that of before.
        """
        told: list[Reading] = []
        for source, g_m2 in deposits_g_m2.items():
            past = self._memory(source).dirt
            rate = None if past is None else forecast(past.past, self._wiring.limit_g_m2)
            self._memory(source).dirt = DirtRate(at)
            if rate is not None and Quantity.DAYS_TO_LIMIT in self._wiring.derived.get(source, ()):
                days = days_to(self._wiring.limit_g_m2, g_m2, rate.rate)
                told.append(_reading(source, Quantity.DAYS_TO_LIMIT, days, at))
        return tuple(told)

    def _memory(self, source: SourceId) -> Memory:
        """At most one for each device."""
        return self.memory.setdefault(source, Memory())

    def _known(self, source: SourceId, quantity: Quantity, at: Instant) -> float | None:
        """The last value, if it is not too old."""
        last = self._last.get((source, quantity))
        return None if last is None or at - last.at > STANDS_NS else last.value


def _hour_of(other: NowCast | None, at: Instant) -> Instant:
    """Both dusts of a sensor are counted in the same hours: one index is made of both."""
    return at if other is None else other.hour.began


def _reading(
    source: SourceId, quantity: Quantity, value: float, at: Instant, quality: Quality = Quality.GOOD
) -> Reading:
    return Reading(source=source, quantity=quantity, value=round(float(value), DECIMALS), at=at, quality=quality)
