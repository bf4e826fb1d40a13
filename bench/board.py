"""The firmware as a process of its own, on a board that has all but the hardware."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.frames import ducts, write_folder

FRAME_BYTES = 100_000
STOP_LIMIT_S = 10.0
LINE_LIMIT_BYTES = 1024 * 1024
CAMERAS = ("upstream", "downstream")

CONFIG = """
[board]
name = "bench"
data = "{folder}/data"

[snapshot]
period = "{period_s}s"
settle = "0s"

[uplink]
host = "127.0.0.1"
port = {broker_port}

[model]
{model}

[[camera]]
name = "upstream"
driver = "replay"
path = "{folder}/upstream"
rate = 15.0

[[camera]]
name = "downstream"
driver = "replay"
path = "{folder}/downstream"
rate = 15.0

[[sensor]]
name = "duct-pm"
driver = "pms5003"
port = "{serial_port}"
"""
PLAYED_GAS = """
[[sensor]]
name = "duct-gas"
driver = "played-bme680"
bus = "{folder}/i2c-1"
"""


def write_pictures(folder: Path) -> None:
    """What the replay cameras of `folder` show: 1280x720 MJPEG of a duct. Takes some seconds."""
    pictures = ducts()
    for camera in CAMERAS:
        write_folder(pictures, folder / camera, FRAME_BYTES)


def write_config(
    folder: Path, *, period_s: float, broker_port: int, serial_port: Path, model: Path | None, played_gas: bool
) -> Path:
    """Two replay cameras, a PMS5003 on a pseudo terminal, and, for `played_board`, a BME680 on a played bus."""
    text = CONFIG + (PLAYED_GAS if played_gas else "")
    path = folder / "config.toml"
    path.write_text(
        text.format(
            folder=folder,
            period_s=period_s,
            broker_port=broker_port,
            serial_port=serial_port,
            model="" if model is None else f'path = "{model.resolve()}"',
        )
    )
    return path


def ductwatch(*arguments: str) -> list[str]:
    """The command that was installed beside this Python."""
    return [sys.executable, str(Path(sys.executable).parent / "ductwatch"), *arguments]


def played_board(*arguments: str) -> list[str]:
    """The same, which knows the played BME680 and loads what drivers of real hardware would load."""
    return [sys.executable, "-m", "bench.played_board", *arguments]


def run(config: Path) -> tuple[str, ...]:
    return ("run", "--config", str(config), "--events", "-")


def environment(folder: Path) -> dict[str, str]:
    """With a place for compiled modules, which an installation has, whatever this shell thinks of them."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPYCACHEPREFIX": str(folder / "compiled")}


class Firmware:
    """A running firmware. Leaving stops it with SIGTERM.

    `at_s` tells for each type of event when those of it came, in seconds since the process was started.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.at_s: dict[str, list[float]] = {}
        self.stopped_within_s = 0.0
        self._command = command
        self._environment = environment
        self._arrived = asyncio.Event()
        self._log: list[bytes] = []

    async def __aenter__(self) -> Self:
        self._started_s = time.monotonic()
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LINE_LIMIT_BYTES,
        )
        self._reading = [asyncio.create_task(self._read_events()), asyncio.create_task(self._read_log())]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        stopping_s = time.monotonic()
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), STOP_LIMIT_S)
        except TimeoutError:
            self._process.kill()
            raise RuntimeError(f"the firmware did not stop within {STOP_LIMIT_S:g} s:\n{self.log}") from error
        finally:
            await asyncio.gather(*self._reading)
        self.stopped_within_s = time.monotonic() - stopping_s

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def now_s(self) -> float:
        """Seconds since the process was started."""
        return time.monotonic() - self._started_s

    @property
    def log(self) -> str:
        """What it wrote to stderr."""
        return b"".join(self._log).decode()

    async def until(self, kind: str, count: int, *, limit_s: float) -> float:
        """Wait for that many events of one type; return when the last of these came, in seconds since the start."""
        try:
            async with asyncio.timeout(limit_s):
                while len(self.at_s.get(kind, ())) < count:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            raise RuntimeError(f"{count} {kind} events did not come within {limit_s:g} s:\n{self.log}") from None
        return self.at_s[kind][count - 1]

    async def _read_events(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.at_s.setdefault(json.loads(line)["type"], []).append(self.now_s)
            self._arrived.set()

    async def _read_log(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            self._log.append(line)
