"""What the whole firmware keeps in memory, and what each library has in it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import msgspec

from bench import board
from bench.machine import developers_extra
from bench.process import Memory, memory
from bench.results import Bar, Chart, Goal, Result, Row, Setup
from tests.drivers.uart.sensor import Pms5003OnAPty
from tests.mosquitto import Mosquitto

AT_MOST_MB = 90.0
START_LIMIT_S = 60.0
HOW = (
    "ductwatch run with two replay cameras (1280x720 MJPEG, a snapshot a second), PMS5003 through the real driver on a "
    "pseudo terminal, BME680 through the real driver and library on a played bus, the board's own health, rules, "
    "outbox, and a Mosquitto on loopback; linuxpy and gpiozero are loaded, though nothing is wired to them. "
    "After warming up. The parts: one process that takes one after another in this order."
)


class Step(msgspec.Struct, frozen=True):
    """What `bench.footprint` prints: resident MB after something was loaded."""

    name: str
    resident: float


def measure(setup: Setup) -> Result:
    whole = asyncio.run(_whole(setup))
    setup.progress("part by part")
    steps = _parts(setup)
    parts = [(steps[0].name, steps[0].resident)] + [
        (after.name, after.resident - before.resident) for before, after in pairwise(steps)
    ]
    running = whole.resident - steps[-1].resident
    return Result(
        name="memory",
        title="Memory of the whole firmware",
        how=HOW,
        columns=("MB",),
        rows=(
            Row("resident (RSS)", (whole.resident,)),
            Row("most that was ever resident", (whole.peak,)),
            Row("proportional (PSS)", (whole.proportional,)),
            Row("private", (whole.private,)),
            *(Row(f"part: {name}", (added,)) for name, added in parts),
            Row("part: running it: threads, pictures, queues, databases", (running,)),
        ),
        goals=(Goal(what="resident memory", value=whole.peak, at_most=AT_MOST_MB, unit="MB"),),
        chart=Chart(
            unit="MB resident",
            bars=(
                Bar(label="whole firmware", value=whole.resident, at_most=AT_MOST_MB),
                *(Bar(label=name, value=added) for name, added in parts if added >= 1.0),
                Bar(label="running it", value=running),
            ),
        ),
        notes=(
            "Real cameras add their mapped buffers: the kernel's memory, four frames each.",
            *developers_extra(),
        ),
    )


async def _whole(setup: Setup) -> Memory:
    with tempfile.TemporaryDirectory(prefix="ductwatch-bench-") as name, Pms5003OnAPty() as sensor:
        folder = Path(name)
        setup.progress("drawing ducts")
        await asyncio.to_thread(board.write_pictures, folder)
        async with Mosquitto(folder) as broker:
            config = board.write_config(
                folder,
                period_s=1.0,
                broker_port=broker.port,
                serial_port=sensor.path,
                model=setup.model,
                played_gas=True,
            )
            seconds = setup.choose(60, 10)
            command, environment = board.played_board(*board.run(config)), board.environment(folder)
            setup.progress("compiling, which takes memory that an installation does not need")
            async with board.Firmware(command, environment) as firmware:
                await firmware.until("verdict", 1, limit_s=START_LIMIT_S)
            async with board.Firmware(command, environment) as firmware:
                await firmware.until("verdict", 2, limit_s=START_LIMIT_S)
                setup.progress(f"warming up, {seconds} s")
                await firmware.until("verdict", 2 * seconds, limit_s=seconds + START_LIMIT_S)
                return memory(firmware.pid)


def _parts(setup: Setup) -> list[Step]:
    model = [] if setup.model is None else [str(setup.model)]
    done = subprocess.run(
        [sys.executable, "-m", "bench.footprint", *model],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
        timeout=START_LIMIT_S,
    )
    return msgspec.json.decode(done.stdout, type=list[Step])
