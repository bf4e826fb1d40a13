"""Which camera is meant, whatever number the kernel gave it this time."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

MOST_NODES = 256  # video nodes looked at: VIDEO_NUM_DEVICES in the kernel's v4l2-dev.h


@dataclass(frozen=True, slots=True)
class System:
    """Where the kernel and udev show devices."""

    sys: Path = Path("/sys")
    dev: Path = Path("/dev")


SYSTEM = System()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A camera by one of three: a link that udev keeps, the serial number, or the bus and port it is plugged into."""

    path: Path | None = None
    serial: str | None = None
    bus: str | None = None

    def __post_init__(self) -> None:
        if [self.path, self.serial, self.bus].count(None) != 2:
            raise ValueError("name the camera by one of `path`, `serial`, `bus`. See what there is: ductwatch check")
        if self.path is not None and re.fullmatch(r"/dev/video\d+", str(self.path)):
            raise ValueError(
                f"{self.path} may be another camera after the next start. "
                "Use its stable name instead: ls -l /dev/v4l/by-id /dev/v4l/by-path"
            )

    def __str__(self) -> str:
        if self.serial is not None:
            return f"serial {self.serial}"
        return str(self.path) if self.path is not None else f"bus {self.bus}"


class NotThere(Exception):
    """No camera fits, or more than one. The message says which it is and what is there instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A camera that the kernel shows. `stable` is what to write as `path`, if udev made a link."""

    node: Path
    name: str
    bus: str
    serial: str | None
    stable: Path | None

    def __str__(self) -> str:
        serial = f", serial {self.serial}" if self.serial else ""
        return f"{self.name} at {self.stable or self.node} (bus {self.bus}{serial})"


def discover(system: System = SYSTEM) -> list[Found]:
    """All cameras, by node. Of a camera's several nodes only the first counts: the others carry metadata."""
    by_id, by_path = (_links(system.dev / "v4l" / kind) for kind in ("by-id", "by-path"))
    cameras = [(entry.name, entry.resolve()) for entry in _nodes(system.sys) if _text(entry / "index") == "0"]
    twins = Counter(_usb_identity(place) for _, place in cameras)  # twins share one link by id, which of them is chance
    return [
        Found(
            node=system.dev / name,
            name=_text(place / "name") or name,
            bus=bus_of(place),
            serial=_text(_usb_device(place) / "serial"),
            stable=(by_id.get(name) if twins[_usb_identity(place)] == 1 else None) or by_path.get(name),
        )
        for name, place in cameras
    ]


def find(wanted: Wanted, system: System = SYSTEM) -> Path:
    """The device node of the camera that is meant. Raises `NotThere`."""
    cameras = discover(system)
    if wanted.path is not None:
        if wanted.path.exists():
            return wanted.path.resolve()
        fitting = []
    else:
        fitting = [found for found in cameras if wanted in (_by_serial(found), _by_bus(found))]
    if len(fitting) == 1:
        return fitting[0].node
    if fitting:
        raise NotThere(f"{len(fitting)} cameras have {wanted}: use `bus` or a link in /dev/v4l/by-path")
    there = "; ".join(map(str, cameras)) or "none at all"
    raise NotThere(f"no camera with {wanted}. There is {there}")


def bus_of(place: Path) -> str:
    """Bus and port of a node's place in /sys/devices, as V4L2 spells them: `usb-0000:00:14.0-1.3`."""
    parts = place.parts
    for index, part in enumerate(parts):
        if re.fullmatch(r"usb\d+", part) and index > 0:
            ports = [step for step in parts[index:] if re.fullmatch(r"\d+-[\d.]+", step)]
            if ports:
                return f"usb-{parts[index - 1]}-{ports[-1].partition('-')[2]}"
    return f"platform:{place.parent.parent.name}"  # .../<device>/video4linux/videoN


def _by_serial(found: Found) -> Wanted | None:
    return Wanted(serial=found.serial) if found.serial else None


def _by_bus(found: Found) -> Wanted:
    return Wanted(bus=found.bus)


def _nodes(sys: Path) -> list[Path]:
    entries = [entry for entry in sys.glob("class/video4linux/video*") if entry.name[5:].isdigit()]
    return sorted(entries, key=lambda entry: int(entry.name[5:]))[:MOST_NODES]


def _usb_device(place: Path) -> Path:
    """.../1-1 of .../1-1/1-1:1.0/video4linux/videoN; some directory without `serial` for what is not on USB."""
    return place.parent.parent.parent


def _usb_identity(place: Path) -> tuple[str | None, ...]:
    device = _usb_device(place)
    return tuple(_text(device / name) for name in ("idVendor", "idProduct", "serial"))


def _links(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        return {}
    return {link.resolve().name: link for link in sorted(folder.iterdir())}


def _text(file: Path) -> str | None:
    """A sysfs attribute; None where there is none or the device went away meanwhile."""
    try:
        return file.read_text(errors="replace").strip() or None
    except OSError:
        return None
