"""`ductwatch check`: is the configuration sound, and is every device there? One row each."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from argparse import Namespace
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from drivers.clock import Clock, MonotonicClock, SimulatedClock
from drivers.errors import DriverError
from drivers.protocol import Camera, Input, Output, Sensor
from drivers.settings import Settings
from drivers.simulated.faults import Faults
from drivers.simulated.world import World
from firmware import config
from firmware.config import Config
from firmware.devices import Site, make
from firmware.plan import depot_of, prepare, unanswered
from firmware.run import SIMULATED_BOARD

PROBE_LIMIT_S = 45.0  # a PMS5003 that slept needs 30 s of warm-up (its datasheet) and a second for the reading


EX_MISSING = 1


def main(arguments: Namespace) -> int:
    """Print a row for each device; 1 if any is missing. Raises `ConfigError`."""
    chosen = config.load(arguments.config or SIMULATED_BOARD)
    depot_of(chosen)
    for problem, remedy in unanswered(prepare(chosen)):
        print(f"ductwatch: {problem}. {remedy}", file=sys.stderr)
    rows = asyncio.run(_rows(chosen, as_table=not arguments.json))
    if arguments.json:
        devices = [asdict(row) for row in rows]
        print(json.dumps({"schema": "ductwatch.check/1", "config": str(chosen.file), "devices": devices}, indent=2))
    return 0 if all(row.found for row in rows) else EX_MISSING


async def _rows(chosen: Config, *, as_table: bool) -> Sequence[Row]:
    if as_table:
        print(f"{chosen.file}: the configuration, the rules and the model are sound. Looking for the devices:")
    clock: Clock = SimulatedClock() if chosen.simulated else MonotonicClock()
    world = World(1, clock, Faults()) if chosen.simulated else None
    rows = []
    with tempfile.TemporaryDirectory(prefix="ductwatch-") as nowhere:
        async for row in probe(chosen, Site(clock=clock, world=world, data=Path(nowhere))):
            rows.append(row)
            if as_table:
                print(_line(row), flush=True)
    return rows


def _line(row: Row) -> str:
    mark = "found  " if row.found else "MISSING"
    line = f"  {mark}  {row.device:<16} {row.driver:<22} {row.what}"
    return "\n".join([line, *(f"{'':>50}{detail}" for detail in (row.sample, row.remedy) if detail)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What became of one device: `sample` where it answered, `remedy` where it did not."""

    device: str
    driver: str
    found: bool
    what: str
    sample: str = ""
    remedy: str = ""


async def probe(config: Config, site: Site) -> AsyncIterator[Row]:
    """Probe all devices at once; rows come in the order of the configuration. Nothing is switched."""
    probes = [
        asyncio.create_task(_probe(settings, _PROBES[family], family, site)) for family, settings in config.devices()
    ]
    for row in probes:
        yield await row


async def _probe(settings: Settings, look: Callable[[Any], Awaitable[tuple[str, str]]], family: str, site: Site) -> Row:
    try:
        async with asyncio.timeout(PROBE_LIMIT_S), make(family, settings, site) as device:
            what, sample = await look(device)
    except DriverError as error:
        return _missing(settings, error.problem, error.remedy)
    except TimeoutError:
        return _missing(settings, f"no answer within {PROBE_LIMIT_S:g} s", "Check its power and its cable.")
    return Row(device=settings.name, driver=settings.driver, found=True, what=what, sample=sample)


def _missing(settings: Settings, problem: str, remedy: str) -> Row:
    return Row(device=settings.name, driver=settings.driver, found=False, what=problem, remedy=remedy)


async def _camera(camera: Camera) -> tuple[str, str]:
    async with aclosing(camera.frames()) as frames:
        frame = await anext(frames)
    size = f"{frame.width}x{frame.height} {frame.pixel_format.value}"
    return camera.description, f"one frame, {size}, {len(frame.payload):,} bytes"


async def _sensor(sensor: Sensor) -> tuple[str, str]:
    readings = await sensor.read()
    sample = ", ".join(
        f"{reading.quantity.signal} {reading.value:.6g} {reading.quantity.unit}"
        + ("" if reading.quality.value == "good" else f" ({reading.quality.value.replace('_', ' ')})")
        for reading in readings
    )
    return "answers", sample


async def _output(output: Output) -> tuple[str, str]:
    return "can be driven", f"{output.source} left in its safe state"


async def _input(line: Input) -> tuple[str, str]:
    async with aclosing(line.states()) as states:
        return "can be read", "on" if await anext(states) else "off"


_PROBES: dict[str, Callable[[Any], Awaitable[tuple[str, str]]]] = {
    "camera": _camera,
    "sensor": _sensor,
    "light": _output,
    "output": _output,
    "fan": _input,
    "button": _input,
}
