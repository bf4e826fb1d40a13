"""The board's own health: temperature, load, memory, disk, clock. Each reading only where the board has it."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from drivers.clock import Clock
from drivers.errors import Absent, Lost
from drivers.faults import Fault, reported_as
from drivers.settings import SensorSettings
from drivers.thread_bound import ThreadBound
from drivers.types import Quantity, Reading, SourceId

PROC = Path("/proc")
SYSFS = Path("/sys")
READ_LIMIT_S = 5.0  # files of the kernel take microseconds; a disk that is gone, or a zone behind a bus, may hang
MAX_BYTES = 64 * 1024  # of a file: /proc/stat has 40 kB with 256 cores, and its first line is the one wanted

CPU_ZONES = ("cpu", "soc", "bcm2", "imx", "x86_pkg_temp")  # how the types of zones begin that measure the processor
STA_UNSYNC = 0x0040  # <linux/timex.h>

Ticks = tuple[int, int]
"""Clock ticks since the board started, of all cores together: those not idle, and all."""

Synchronised = Callable[[], bool | None]
"""Whether a time source keeps the wall clock right, or None where the kernel does not tell."""


class BoardSettings(SensorSettings, frozen=True, kw_only=True):
    """`data`: the directory whose disk may fill up. `thermal_zone`: a type from
    `cat /sys/class/thermal/thermal_zone*/type` instead of the hottest that measures the processor."""

    data: Path = Path("/var/lib/ductwatch")
    thermal_zone: str = ""


class Board:
    """The board as a sensor. Its files are read in a thread of their own, for a broken disk makes them hang."""

    def __init__(
        self,
        settings: BoardSettings,
        clock: Clock,
        *,
        proc: Path = PROC,
        sysfs: Path = SYSFS,
        synchronised: Synchronised | None = None,
    ) -> None:
        self.source = SourceId(settings.name)
        self._settings = settings
        self._clock = clock
        self._proc = proc
        self._sysfs = sysfs
        self._synchronised = synchronised or kernel_clock_synchronised
        self._files = ThreadBound(self.source, "the board's health", self._open)

    async def __aenter__(self) -> Self:
        with reported_as(Absent, self.source):
            await self._files.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._files.close()

    async def read(self) -> Sequence[Reading]:
        with reported_as(Lost, self.source):
            values = await self._files.call(_Files.read, limit_s=READ_LIMIT_S)
        now = self._clock.now()
        return tuple(
            Reading(source=self.source, quantity=quantity, value=value, at=now) for quantity, value in values.items()
        )

    def _open(self) -> _Files:
        zone = self._settings.thermal_zone
        known = sorted(_zones(self._sysfs))
        if zone and zone not in known:
            here = f"one of {', '.join(known)}" if known else "nothing: this board has none"
            raise Fault(f"there is no thermal zone {zone}", f"Set thermal_zone to {here}.")
        return _Files(self._proc, self._sysfs, self._settings.data, zone, self._synchronised)


class _Files:
    """Reads what is there; methods block."""

    def __init__(self, proc: Path, sysfs: Path, data: Path, zone: str, synchronised: Synchronised) -> None:
        self._proc = proc
        self._sysfs = sysfs
        self._data = data
        self._zone = zone
        self._synchronised = synchronised
        self._ticks = cpu_ticks(_text(proc / "stat"))

    def read(self) -> dict[Quantity, float]:
        before, self._ticks = self._ticks, cpu_ticks(_text(self._proc / "stat"))
        synchronised = self._synchronised()
        found = {
            Quantity.CPU_TEMPERATURE: cpu_temperature(_zones(self._sysfs), self._zone),
            Quantity.CPU_LOAD: cpu_load(before, self._ticks),
            Quantity.MEMORY_USED: memory_used(_text(self._proc / "meminfo")),
            Quantity.DISK_USED: _disk_used(self._data),
            Quantity.CLOCK_SYNCHRONISED: None if synchronised is None else float(synchronised),
            Quantity.RESIDENT: resident(_text(self._proc / "self/status")),
        }
        return {quantity: value for quantity, value in found.items() if value is not None}


def cpu_temperature(zones: Mapping[str, float], wanted: str) -> float | None:
    """The zone of the type `wanted`, or else the hottest that measures the processor."""
    if wanted:
        return zones.get(wanted)
    return max((degrees for kind, degrees in zones.items() if kind.startswith(CPU_ZONES)), default=None)


def cpu_ticks(stat: str) -> Ticks | None:
    """From /proc/stat, proc(5): user, nice, system, idle, iowait, irq, softirq, steal. Guests are part of user."""
    fields = stat.partition("\n")[0].split()
    if len(fields) < 9 or fields[0] != "cpu":
        return None
    ticks = [int(field) for field in fields[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def cpu_load(before: Ticks | None, after: Ticks | None) -> float | None:
    """The share of all cores that was busy in between, 0..1."""
    if before is None or after is None or after[1] <= before[1]:
        return None
    return min(1.0, max(0.0, (after[0] - before[0]) / (after[1] - before[1])))


def memory_used(meminfo: str) -> float | None:
    """Percent of the memory that a new program could not have: /proc/meminfo, proc(5)."""
    total, available = _kilobytes(meminfo, "MemTotal"), _kilobytes(meminfo, "MemAvailable")
    if not total or available is None:
        return None
    return 100.0 * (total - available) / total


def resident(status: str) -> float | None:
    """Bytes of memory that the firmware holds: VmRSS of /proc/self/status, proc(5)."""
    kilobytes = _kilobytes(status, "VmRSS")
    return None if kilobytes is None else kilobytes * 1024.0


class _Timex(ctypes.Structure):  # the beginning of struct timex, adjtimex(2)
    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def kernel_clock_synchronised() -> bool | None:
    """What adjtimex(2) says, which chrony, ntpd and systemd-timesyncd all keep, and which turns false when their source
    is lost, as /run/systemd/timesync/synchronized does not. None where the service may not ask (ProtectClock=yes)."""
    timex = _Timex()
    if ctypes.CDLL(None).adjtimex(ctypes.byref(timex)) < 0:
        return None
    return not timex.status & STA_UNSYNC


def _zones(sysfs: Path) -> dict[str, float]:
    """Degrees by type of thermal zone; of those of one type the hottest."""
    zones: dict[str, float] = {}
    for zone in sysfs.glob("class/thermal/thermal_zone*"):
        kind, temperature = _text(zone / "type").strip(), _text(zone / "temp").strip()
        if temperature.lstrip("-").isdigit():  # an idle zone cannot be read
            zones[kind] = max(int(temperature) / 1000, zones.get(kind, -273.15))
    return zones


def _disk_used(directory: Path) -> float | None:
    """Percent as df(1) counts: what only root may use counts neither as used nor as free."""
    try:
        disk = os.statvfs(directory)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Fault(f"{directory}: {error.strerror}", "Check the disk: dmesg | grep -i error.") from error
    used = disk.f_blocks - disk.f_bfree
    return 100.0 * used / (used + disk.f_bavail) if used + disk.f_bavail else None


def _kilobytes(text: str, name: str) -> int | None:
    for line in text.splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return None


def _text(path: Path) -> str:
    """The file's text, or nothing where the board does not have it or the kernel cannot tell just now."""
    try:
        with path.open("rb", buffering=0) as file:
            return (file.read(MAX_BYTES) or b"").decode(errors="replace")
    except OSError:
        return ""
