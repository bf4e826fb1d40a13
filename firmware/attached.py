"""What is attached to the board, but for cameras and light: a service for each sensor, fan, button and output."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from drivers.board import BoardSettings
from drivers.errors import DriverError
from drivers.settings import SensorSettings, Settings
from drivers.types import SourceId
from firmware.config import Config
from firmware.devices import Site, make
from firmware.observations import BOARD, Observation
from firmware.outputs import drive
from firmware.sampling import sample, watch_button, watch_fan
from firmware.streams import Latest
from firmware.supervisor import Service, Start
from firmware.vitals import Vitals

LIMIT_S = 30.0  # a service that was given something to do must be done with it within this
SENSOR_LIMIT_S = 60.0  # beyond the longest time limit that any driver gives one reading


def attached(
    config: Config,
    site: Site,
    *,
    say: Callable[[Observation], None],
    vitals: Vitals,
    press: Callable[[], None],
    hold: Callable[[], None] | None,
    contacts: dict[SourceId, bool],
    levels: Mapping[SourceId, Latest[float]],
) -> Iterator[Service]:
    """A button calls `press`, and `hold` if it is held and that means something. Fans are noted in `contacts`.

    Outputs follow `levels`.
    """
    clock = site.clock
    for sensor in (*config.families["sensor"], *_own_health(config, site)):
        assert isinstance(sensor, SensorSettings)
        measure = partial(sample, make("sensor", sensor, site), sensor.period.ns, clock=clock, say=say, vitals=vitals)
        yield _device(sensor, measure, limit_s=sensor.period + SENSOR_LIMIT_S)
    for fan in config.families["fan"]:
        watch = partial(watch_fan, make("fan", fan, site), contacts=contacts, clock=clock, say=say, vitals=vitals)
        yield _device(fan, watch)
    for button in config.families["button"]:
        wait = partial(
            watch_button, make("button", button, site), press, hold=hold or _nothing, clock=clock, vitals=vitals
        )
        yield _device(button, wait)
    for settings in config.families["output"]:
        output = make("output", settings, site)
        yield _device(settings, partial(drive, output, levels[output.source], vitals=vitals))


def _own_health(config: Config, site: Site) -> Iterator[Settings]:
    """The board measures itself without being told to; a simulated one has nothing to measure."""
    if not config.simulated:
        yield BoardSettings(name=BOARD, driver="board", period=config.health.period, data=site.data)


def _nothing() -> None:
    """A button that is held does no more than one that is pressed."""


def _device(settings: Settings, start: Start, *, limit_s: float = LIMIT_S) -> Service:
    """A service around one device: it starts again when the device fails."""
    return Service(settings.name, start, limit_s, restart_on=(DriverError,))
