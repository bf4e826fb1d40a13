"""Which machine it was: processor, kernel, versions. Nothing that tells where it stands or whose it is."""

from __future__ import annotations

import os
import platform
import sqlite3
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

PACKAGES = (
    *("ductwatch", "ai-edge-litert", "numpy", "simplejpeg", "opencv-python-headless", "aiomqtt", "msgspec"),
    *("common-expression-language", "rule-engine", "simpleeval"),
    *("zstandard", "bsdiff4"),
)
CPUINFO, MEMINFO, DEVICE_TREE = Path("/proc/cpuinfo"), Path("/proc/meminfo"), Path("/proc/device-tree/model")
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    processor: str
    cores: int
    virtual: bool
    memory_mib: int
    kernel: str
    python: str
    versions: dict[str, str]

    @property
    def line(self) -> str:
        kind = "virtual, " if self.virtual else ""
        return (
            f"{self.processor}, {self.cores} cores ({kind}{self.memory_mib / 1024:.0f} GiB), "
            f"Linux {self.kernel}, Python {self.python}"
        )


def this_machine() -> Machine:
    cpuinfo = CPUINFO.read_text()
    board = DEVICE_TREE.read_text().rstrip("\0") if DEVICE_TREE.exists() else ""
    return Machine(
        processor=board or field(cpuinfo, "model name") or platform.machine(),
        cores=os.cpu_count() or 1,
        virtual="hypervisor" in field(cpuinfo, "flags").split(),
        memory_mib=int(field(MEMINFO.read_text(), "MemTotal").split()[0]) // 1024,
        kernel=platform.release(),
        python=platform.python_version(),
        versions={"sqlite": sqlite3.sqlite_version} | {name: _version(name) for name in PACKAGES},
    )


def load() -> float:
    """Mean number of tasks that wanted a core in the last minute, ours included."""
    return round(os.getloadavg()[0], 2)


def file_system(path: Path) -> str:
    """The kind that `path` lies on, such as ext4, by /proc/mounts: on tmpfs nothing ever reaches a disk."""
    kinds = {}
    for mount in Path("/proc/mounts").read_text().splitlines():
        _, where, kind, *_ = mount.split()
        kinds[where] = kind
    here = path.resolve()
    nearest = next(where for where in (here, *here.parents) if str(where) in kinds)
    return kinds[str(nearest)]


def developers_extra() -> tuple[str, ...]:
    """What an environment with the tools of developers adds to the firmware, as a note; nothing on a board."""
    if find_spec("rich") is None:
        return ()
    return ("In it: rich, which structlog loads where the tools of developers brought it along, 4 MB and 0.05 s.",)


def field(text: str, name: str) -> str:
    """The first value of `name` in a file of `name : value` lines, or nothing."""
    for entry in text.splitlines():
        key, _, value = entry.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
