"""What watching costs: processor time at one snapshot a minute."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from bench import board
from bench.process import cpu_ns
from bench.results import Bar, Chart, Goal, Result, Row, Setup
from drivers.types import NS_PER_S
from tests.drivers.uart.sensor import Pms5003OnAPty
from tests.mosquitto import Mosquitto

AT_MOST_PERCENT = 2.0
PERIOD_S = 60
START_LIMIT_S = 60.0
SETTLE_S = 10  # after the first verdicts: the start has its own benchmark
BEFORE_S, AFTER_S = 1, 2  # around a verdict: in these seconds the snapshot is paid for
NS_PER_MS = 1_000_000
HOW = (
    "The board of the memory benchmark, at one snapshot of both cameras a minute, sensors each 10 s, connected to the "
    "broker. Processor time of the whole process, all threads, by its CPU clock, over whole minutes; each "
    "second is noted, so that the seconds around a snapshot can be told from the others."
)


@dataclass(frozen=True, slots=True)
class Second:
    """Seconds since the firmware's start, and the processor time that was used in it."""

    at_s: float
    used_ns: int


@dataclass(frozen=True, slots=True)
class Cost:
    """`idle_share` of a core without snapshots, and what one snapshot adds."""

    idle_share: float
    snapshot_ns: float

    def share(self, period_s: float) -> float:
        return self.idle_share + self.snapshot_ns / (period_s * NS_PER_S)


def measure(setup: Setup) -> Result:
    period_s = setup.choose(PERIOD_S, 6)
    seconds, verdicts_s = asyncio.run(_watch(setup, period_s, minutes_s=setup.choose(5 * PERIOD_S, 18)))
    cost = split(seconds, verdicts_s)
    direct = sum(second.used_ns for second in seconds) / (len(seconds) * NS_PER_S)
    percent = 100 * (cost.share(PERIOD_S) if setup.quick else direct)
    return Result(
        name="cpu",
        title="Processor time at one snapshot a minute",
        how=HOW,
        columns=("% of a core",),
        rows=(
            Row(f"measured, a snapshot each {period_s} s", (100 * direct,)),
            Row("of that: between snapshots", (100 * cost.idle_share,)),
            Row("sum of the parts, a snapshot a minute", (100 * cost.share(60),)),
            Row("sum of the parts, a snapshot each 5 min, the default", (100 * cost.share(300),)),
        ),
        goals=(Goal(what="a snapshot a minute", value=percent, at_most=AT_MOST_PERCENT, unit="% of a core"),),
        chart=Chart(
            unit="% of a core at a snapshot a minute",
            bars=(
                Bar(label="whole firmware", value=percent, at_most=AT_MOST_PERCENT),
                Bar(label="between snapshots", value=100 * cost.idle_share),
                Bar(label="snapshots", value=100 * cost.snapshot_ns / (60 * NS_PER_S)),
            ),
        ),
        notes=(
            f"One snapshot of both cameras costs {cost.snapshot_ns / NS_PER_MS:.1f} ms of processor time.",
            "Not in it: the kernel's work for real cameras, and GPIO inputs, which are looked at 20 times a second.",
        ),
        details={"seconds": len(seconds), "snapshots": len(verdicts_s) // len(board.CAMERAS)},
    )


def split(seconds: list[Second], verdicts_s: list[float]) -> Cost:
    """What was used around the verdicts, against what was used in all other seconds."""

    def is_near(second: Second) -> bool:
        return any(-BEFORE_S <= second.at_s - verdict_s <= AFTER_S for verdict_s in verdicts_s)

    near = [second.used_ns for second in seconds if is_near(second)]
    far = [second.used_ns for second in seconds if not is_near(second)]
    idle_ns = mean(far)
    snapshots = len(verdicts_s) / len(board.CAMERAS)
    return Cost(idle_share=idle_ns / NS_PER_S, snapshot_ns=(sum(near) - len(near) * idle_ns) / snapshots)


async def _watch(setup: Setup, period_s: int, *, minutes_s: int) -> tuple[list[Second], list[float]]:
    with tempfile.TemporaryDirectory(prefix="ductwatch-bench-") as name, Pms5003OnAPty() as sensor:
        folder = Path(name)
        setup.progress("drawing ducts")
        await asyncio.to_thread(board.write_pictures, folder)
        async with Mosquitto(folder) as broker:
            config = board.write_config(
                folder,
                period_s=period_s,
                broker_port=broker.port,
                serial_port=sensor.path,
                model=setup.model,
                played_gas=True,
            )
            command = board.played_board(*board.run(config))
            async with board.Firmware(command, board.environment(folder)) as firmware:
                await firmware.until("verdict", 2, limit_s=START_LIMIT_S)
                await asyncio.sleep(setup.choose(SETTLE_S, 2))
                setup.progress(f"watching for {minutes_s} s")
                return await _seconds(firmware, minutes_s)


async def _seconds(firmware: board.Firmware, count: int) -> tuple[list[Second], list[float]]:
    """The use of each second. Verdicts of before are not counted."""
    loop = asyncio.get_running_loop()
    before = len(firmware.at_s["verdict"])
    due_s, used_ns = loop.time(), cpu_ns(firmware.pid)
    seconds = []
    for _ in range(count):
        due_s += 1.0
        await asyncio.sleep(due_s - loop.time())
        now_ns = cpu_ns(firmware.pid)
        seconds.append(Second(firmware.now_s, now_ns - used_ns))
        used_ns = now_ns
    return seconds, firmware.at_s["verdict"][before:]
