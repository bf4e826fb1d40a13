"""From starting the process to its first verdict."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from bench import board
from bench.results import Bar, Chart, Goal, Result, Row, Setup
from tests.drivers.uart.sensor import Pms5003OnAPty
from tests.mosquitto import Mosquitto

AT_MOST_S = 1.0
LIMIT_S = 60.0
WORST = 25  # imports that are listed
RUN, DETECT, PYTHON, NUMPY = "ductwatch run", "ductwatch detect", "bare Python", "bare Python with numpy"
HOW = (
    "Seconds from starting the process to its first verdict on stdout. ductwatch run: two replay cameras (1280x720 "
    "MJPEG, no light, no settling), PMS5003, rules, alarms, outbox, a Mosquitto on loopback; the model's hashes are "
    "checked and its self-test run. ductwatch detect: one JPEG. All files are in the page cache, modules compiled. In "
    "turn."
)
IMPORT_LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \|(\s+)(\S+)")


@dataclass(frozen=True, slots=True)
class Import:
    """What importing a module took: by itself, and with all that it imports first."""

    module: str
    own_us: int
    all_us: int


def measure(setup: Setup) -> Result:
    times, stops, imports = asyncio.run(_measure(setup))
    first_s = median(times[RUN])
    return Result(
        name="cold-start",
        title="Process start to first verdict",
        how=HOW,
        columns=("median s", "least s", "most s"),
        rows=tuple(Row(name, (median(of), min(of), max(of))) for name, of in times.items()),
        goals=(Goal(what="ductwatch run, first verdict", value=first_s, at_most=AT_MOST_S, unit="s"),),
        chart=Chart(
            unit="s to the first verdict (median)",
            bars=tuple(
                Bar(label=name, value=median(of), at_most=AT_MOST_S if name == RUN else None)
                for name, of in times.items()
            ),
        ),
        notes=(
            f"SIGTERM to the end of the process: {median(stops):.2f} s, at most {max(stops):.2f} s.",
            "The slowest imports of ductwatch run by themselves, ms: "
            + ", ".join(f"{it.module} {it.own_us / 1000:.1f}" for it in imports[:8])
            + ".",
        ),
        details={"runs": len(times[RUN]), "imports_by_own_time": [asdict(it) for it in imports]},
    )


async def _measure(setup: Setup) -> tuple[dict[str, list[float]], list[float], list[Import]]:
    times: dict[str, list[float]] = {RUN: [], DETECT: [], NUMPY: [], PYTHON: []}
    stops = []
    with tempfile.TemporaryDirectory(prefix="ductwatch-bench-") as name, Pms5003OnAPty() as sensor:
        folder = Path(name)
        setup.progress("drawing ducts")
        await asyncio.to_thread(board.write_pictures, folder)
        picture = next((folder / "upstream").iterdir())
        async with Mosquitto(folder) as broker:
            config = board.write_config(
                folder,
                period_s=3600,
                broker_port=broker.port,
                serial_port=sensor.path,
                model=setup.model,
                played_gas=False,
            )
            rounds = setup.choose(20, 2)
            for number in range(rounds + 1):  # the first one fills the page cache
                setup.progress(f"round {number} of {rounds}")
                async with board.Firmware(board.command(config, played=False)) as firmware:
                    first_s = await firmware.until("verdict", 1, limit_s=LIMIT_S)
                others = {
                    DETECT: _detect(setup, picture),
                    NUMPY: [sys.executable, "-c", "import numpy; print()"],
                    PYTHON: [sys.executable, "-c", "print()"],
                }
                found = {RUN: first_s} | {
                    name: await asyncio.to_thread(first_line_s, of) for name, of in others.items()
                }
                if number:
                    stops.append(firmware.stopped_within_s)
                    for name, seconds in found.items():
                        times[name].append(seconds)
            setup.progress("profiling imports")
            imports = await _profile(config)
    return times, stops, imports


def first_line_s(command: Sequence[str]) -> float:
    """Seconds from starting a command to its first line on stdout. Raises RuntimeError if it fails."""
    started_s = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        process.stdout.readline()
        seconds = time.monotonic() - started_s
        process.communicate(timeout=LIMIT_S)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return seconds


def slowest(log: str) -> list[Import]:
    """The imports of a log of `python -X importtime`, the most time by themselves first."""
    found = [Import(match[4], int(match[1]), int(match[2])) for match in IMPORT_LINE.finditer(log)]
    return sorted(found, key=lambda it: it.own_us, reverse=True)[:WORST]


def _detect(setup: Setup, picture: Path) -> list[str]:
    model = [] if setup.model is None else ["--model", str(setup.model)]
    return [sys.executable, "-m", "firmware", "detect", str(picture), *model]


async def _profile(config: Path) -> list[Import]:
    python, *rest = board.command(config, played=False)
    async with board.Firmware([python, "-X", "importtime", *rest]) as firmware:
        await firmware.until("verdict", 1, limit_s=LIMIT_S)
    return slowest(firmware.log)
