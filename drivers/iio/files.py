"""Sensors that the kernel's IIO drivers read, as files in /sys: which folder is meant, and the number in a file."""

from __future__ import annotations

import errno
from pathlib import Path

from drivers.faults import Fault

DEVICES = Path("/sys/bus/iio/devices")
MAX_BYTES = 64  # of a file: a number and a line feed


class Rubbish(Fault):
    """The sensor answers, but not with what can be used."""


def find(devices: Path, name: str, *, called: str, parent: str, absent: str) -> Path:
    """The folder of the one sensor of this name, on what `parent` names if that is not empty. Raises `Fault`.

    `called` is its name in messages, `absent` what to do where there is none.
    """
    found = [device for device in sorted(devices.glob("iio:device*")) if _name(device) == name]
    meant = [device for device in found if parent in ("", device.resolve().parent.name)]
    if len(meant) == 1:
        return meant[0]
    parents = ", ".join(device.resolve().parent.name for device in found)
    if found:
        raise Fault(f"there are {len(found)} {called} here: {parents}", "Set parent to one of these.")
    raise Fault(f"the kernel has no {called}", absent)


def number(path: Path, *, driver: str, check: str) -> float:
    """What the file holds. Raises `Rubbish` where the next try may do, else `Fault`, which says to look at `check`."""
    try:
        with path.open("rb", buffering=0) as file:
            text = file.read(MAX_BYTES) or b""
        return float(text)
    except ValueError as error:
        raise Rubbish(f"{path.name} holds no number", "Update the kernel.") from error
    except OSError as error:
        if error.errno in (errno.EIO, errno.ETIMEDOUT):  # bad CRC, or no new data in time
            raise Rubbish(f"{path.name}: {error.strerror}", f"{check}.") from error
        raise Fault(f"{path.name}: {error.strerror}", f"{check}; dmesg | grep {driver} may tell more.") from error


def _name(device: Path) -> str:
    try:
        return (device / "name").read_text().strip()
    except OSError:  # it may just have gone, and then it is none of ours
        return ""
