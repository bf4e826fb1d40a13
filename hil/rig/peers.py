"""All that hangs on a board of the rig, wired as a bench is: the LED lights what the cameras see."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from hil.rig.bme680 import Bme680Chip
from hil.rig.camera import CameraPeer
from hil.rig.cp2112 import BridgePeer
from hil.rig.lines import Line
from hil.rig.pictures import CLEAN
from hil.rig.pms5003 import DustPeer
from hil.rig.pmsa003i import Pmsa003iChip
from hil.rig.qmp import Qmp
from hil.rig.usb import UsbPort

CAMERAS = {"upstream": "CAMUP", "downstream": "CAMDOWN"}  # name on the board: serial number
BME680, PMSA003I = 0x77, 0x12  # addresses


class Peers:
    """Cameras, bridge with its chips and lines, and the particle sensor. Belongs to one event loop.

    `folder` has QEMU's sockets: `<camera>.usb`, `bridge.usb`, `dust.uart` and `qmp`.
    """

    def __init__(self, folder: Path) -> None:
        self.air = Bme680Chip()
        self.fine_dust = Pmsa003iChip()
        self.bridge = BridgePeer({BME680: self.air, PMSA003I: self.fine_dust})
        self.cameras = {
            name: CameraPeer(serial=serial, scene=CLEAN, product="Duct Camera", light=self.light)
            for name, serial in CAMERAS.items()
        }
        self.camera_ports = {name: UsbPort(folder / f"{name}.usb", peer) for name, peer in self.cameras.items()}
        self.bridge_port = UsbPort(folder / "bridge.usb", self.bridge)
        self.dust = DustPeer(folder / "dust.uart")
        self.machine = Qmp(folder / "qmp")

    async def run(self) -> None:
        """Be the hardware until cancelled, through any number of starts of the guest."""
        async with asyncio.TaskGroup() as group:
            for port in (*self.camera_ports.values(), self.bridge_port):
                group.create_task(port.run())
            group.create_task(self.dust.run())
            group.create_task(self.machine.run())

    async def plug_in_order(self, cameras: Sequence[str]) -> None:
        """Plug each when the guest has taken the one before: so they are numbered in its kernel."""
        for name in cameras:
            self.camera_ports[name].plug()
            await self.camera_ports[name].configured.wait()

    def light(self) -> float:
        """How much falls on what the cameras see, 0..1."""
        return float(self.bridge.lines.level(Line.LED))
