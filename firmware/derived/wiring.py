"""Which devices feed which derived signals, and so which device has which of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from drivers.types import Quantity, SourceId
from firmware.derived.filter_load import PressureDrop
from firmware.derived.pm_correction import Masses

AIR = frozenset({Quantity.TEMPERATURE, Quantity.HUMIDITY})
OF_CAMERAS = (Quantity.DIRT_RATE, Quantity.DAYS_TO_LIMIT, Quantity.DAYS_TO_LIMIT_LOW, Quantity.DAYS_TO_LIMIT_HIGH)
DERIVED = frozenset(
    {
        *(Quantity.PM2_5_CORRECTED, Quantity.NOWCAST_PM2_5, Quantity.NOWCAST_PM10, Quantity.AQI),
        *(Quantity.DEW_POINT, Quantity.CONDENSATION_MARGIN, Quantity.GAS_INDEX, Quantity.MOULD_INDEX),
        *(Quantity.FILTER_LOAD, *OF_CAMERAS),
    }
)


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """`measured` are the sensors with what they measure, in the order of the configuration.

    `climate` is the sensor whose humidity stands for all the air of the duct, `surface` the one that measures the
    coldest surface, `plantower` those that read high in humid air. `limit_g_m2` is where the duct's class ends.
    """

    measured: Mapping[SourceId, Sequence[Quantity]]
    cameras: Sequence[SourceId]
    climate: SourceId | None
    surface: SourceId | None
    plantower: frozenset[SourceId]
    masses: Masses
    pressure_drop: PressureDrop | None
    limit_g_m2: float
    left_out: frozenset[Quantity] = frozenset()

    @cached_property
    def derived(self) -> Mapping[SourceId, tuple[Quantity, ...]]:
        """Each device with the derived signals that it has, if any. A signal belongs to the device that it refines."""
        found = {source: tuple(self._of_sensor(source, frozenset(of))) for source, of in self.measured.items()}
        signals = {**found, **dict.fromkeys(self.cameras, OF_CAMERAS)}
        kept = {source: tuple(one for one in of if one not in self.left_out) for source, of in signals.items()}
        return {source: of for source, of in kept.items() if of}

    def corrects(self, source: SourceId) -> bool:
        return source in self.plantower and self.climate is not None

    def _of_sensor(self, source: SourceId, measures: frozenset[Quantity]) -> Iterator[Quantity]:
        if measures >= AIR:
            yield Quantity.DEW_POINT
        if source == self.surface or (measures >= AIR and self.surface is None):
            yield Quantity.CONDENSATION_MARGIN
        if measures >= AIR:
            yield Quantity.MOULD_INDEX
            if Quantity.GAS_RESISTANCE in measures:
                yield Quantity.GAS_INDEX
        if Quantity.PM2_5 in measures:
            if self.corrects(source):
                yield Quantity.PM2_5_CORRECTED
            yield Quantity.NOWCAST_PM2_5
        if Quantity.PM10 in measures:
            yield Quantity.NOWCAST_PM10
        if measures & {Quantity.PM2_5, Quantity.PM10}:
            yield Quantity.AQI
        if Quantity.DIFFERENTIAL_PRESSURE in measures and self.pressure_drop is not None:
            yield Quantity.FILTER_LOAD


def first_with_air(measured: Mapping[SourceId, Sequence[Quantity]]) -> SourceId | None:
    """The sensor that stands for the duct's air where none is named."""
    return next((source for source, measures in measured.items() if frozenset(measures) >= AIR), None)
