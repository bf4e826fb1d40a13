"""From starting the process to its first verdict."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from bench import board
from bench.machine import developers_extra
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
            *developers_extra(),
        ),
        details={"runs": len(times[RUN]), "imports_by_own_time": [asdict(it) for it in imports]},
    )


@dataclass(frozen=True, slots=True)
class _Bench:
    """A board and what is started on it."""

    commands: Mapping[str, Sequence[str]]
    environment: Mapping[str, str]


async def _measure(setup: Setup) -> tuple[dict[str, list[float]], list[float], list[Import]]:
    with tempfile.TemporaryDirectory(prefix="ductwatch-bench-") as name, Pms5003OnAPty() as sensor:
        folder = Path(name)
        setup.progress("drawing ducts")
        await asyncio.to_thread(board.write_pictures, folder)
        async with Mosquitto(folder) as broker:
            config = board.write_config(
                folder,
                period_s=3600,
                broker_port=broker.port,
                serial_port=sensor.path,
                model=setup.model,
                played_gas=False,
            )
            bench = _Bench(_commands(setup, config, next((folder / "upstream").iterdir())), board.environment(folder))
            times, stops = await _rounds(setup, bench)
            setup.progress("profiling imports")
            return times, stops, await _profile(bench)


def _commands(setup: Setup, config: Path, picture: Path) -> dict[str, list[str]]:
    model = [] if setup.model is None else ["--model", str(setup.model)]
    return {
        RUN: board.ductwatch(*board.run(config)),
        DETECT: board.ductwatch("detect", str(picture), *model),
        NUMPY: [sys.executable, "-c", "import numpy; print()"],
        PYTHON: [sys.executable, "-c", "print()"],
    }


async def _rounds(setup: Setup, bench: _Bench) -> tuple[dict[str, list[float]], list[float]]:
    """Each command in turn. The first round, which compiles and fills the page cache, is not counted."""
    times: dict[str, list[float]] = {name: [] for name in bench.commands}
    stops = []
    rounds = setup.choose(20, 2)
    for number in range(rounds + 1):
        setup.progress(f"round {number} of {rounds}")
        async with board.Firmware(bench.commands[RUN], bench.environment) as firmware:
            found = {RUN: await firmware.until("verdict", 1, limit_s=LIMIT_S)}
        for name, command in bench.commands.items():
            if name != RUN:
                found[name] = await asyncio.to_thread(first_line_s, command, bench.environment)
        if number:
            stops.append(firmware.stopped_within_s)
            for name, seconds in found.items():
                times[name].append(seconds)
    return times, stops


def first_line_s(command: Sequence[str], environment: Mapping[str, str]) -> float:
    """Seconds from starting a command to its first line on stdout. Raises RuntimeError if it fails."""
    started_s = time.monotonic()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
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


async def _profile(bench: _Bench) -> list[Import]:
    python, *rest = bench.commands[RUN]
    async with board.Firmware([python, "-X", "importtime", *rest], bench.environment) as firmware:
        await firmware.until("verdict", 1, limit_s=LIMIT_S)
    return slowest(firmware.log)
