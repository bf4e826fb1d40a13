"""A /sys as the kernel lays it out: devices below their bus, and links to them from the list of the IIO bus."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


class Board:
    def __init__(self, root: Path) -> None:
        self._root = root
        self.devices = root / "bus/iio/devices"
        self.devices.mkdir(parents=True)

    def plug(self, number: int, name: str, parent: str, files: Mapping[str, str] | None = None) -> Path:
        device = self._root / "devices/platform/i2c-1" / parent / f"iio:device{number}"
        device.mkdir(parents=True)
        (device / "name").write_text(f"{name}\n")
        for file, text in (files or {}).items():
            (device / file).write_text(f"{text}\n")
        (self.devices / device.name).symlink_to(device)
        return device
