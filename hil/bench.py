"""The rig for tests, which are synchronous as labgrid is: the peers' event loop runs in a thread of its own.

A physical bench has as much of this as it can, under the same names: physical.py.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from hil.card import PRESET, sensors_in
from hil.desk import START_LIMIT_S, Desk
from hil.host import Host
from hil.image.shell import run
from hil.rig.bme680 import Bme680Chip
from hil.rig.camera import CameraFault, CameraPeer, SentFrame
from hil.rig.cp2112 import BridgeFault
from hil.rig.lines import Edge, Line
from hil.rig.peers import BME680, CAMERAS, Peers
from hil.rig.pictures import CLEAN, Scene
from hil.rig.plantower import CLEAN_AIR
from hil.rig.pms5003 import DustFault
from hil.rig.qmp import Event, Qmp
from hil.rig.usb import UsbPort

AIR = {name: getattr(Bme680Chip(), name) for name in ("temperature", "humidity", "pressure", "gas_resistance")}
STICK_BYTES = 16 * 1024 * 1024
TO_GUESTS = "10.0.2.2"  # this host, by QEMU's user network


class CameraHand:
    """A camera: what it sees, its plug, and what goes wrong with it."""

    def __init__(self, desk: Desk, peer: CameraPeer, port: UsbPort) -> None:
        self._desk, self._peer, self._port = desk, peer, port

    def show(self, scene: Scene) -> None:
        self._desk.do(lambda: self._peer.look_at(scene))

    def fail(self, fault: CameraFault) -> None:
        self._desk.do(lambda: setattr(self._peer, "fault", fault))

    def plug(self) -> None:
        self._desk.do(self._port.plug)

    def unplug(self) -> None:
        self._desk.do(self._port.unplug)

    @property
    def streams(self) -> bool:
        return self._desk.do(lambda: self._peer.streams is not None)

    @property
    def sent(self) -> list[SentFrame]:
        return self._desk.do(lambda: list(self._peer.sent))

    @property
    def pictures(self) -> list[tuple[SentFrame, bytes]]:
        """The last frames that the board took, with what was in them."""
        return self._desk.do(lambda: list(self._peer.pictures))


class Lines:
    """The board's GPIO lines from outside."""

    def __init__(self, desk: Desk, peers: Peers) -> None:
        self._desk, self._lines = desk, peers.bridge.lines

    def level(self, line: Line) -> bool:
        return self._desk.do(lambda: self._lines.level(line))

    def drive(self, line: Line, level: bool | None) -> None:
        self._desk.do(lambda: self._lines.drive(line, level))

    def until(self, line: Line, level: bool, limit_s: float) -> int:
        return self._desk.wait(self._lines.until(line, level, limit_s), limit_s + 1)

    @property
    def edges(self) -> list[Edge]:
        return self._desk.do(lambda: list(self._lines.edges))

    def press(self, line: Line, seconds: float) -> None:
        """Close a contact to ground and let go of it."""

        async def pressed() -> None:
            self._lines.drive(line, False)
            await asyncio.sleep(seconds)  # a finger's
            self._lines.drive(line, None)

        self._desk.wait(pressed(), seconds + 5)


class Machine:
    """QEMU's side of the board: its network cable, and what happened to it."""

    def __init__(self, desk: Desk, qmp: Qmp, folder: Path) -> None:
        self.connected = True
        self._desk, self._qmp, self._folder = desk, qmp, folder

    def connect(self, is_up: bool) -> None:
        """The cable of the duct's network; the desk's, for ssh, stays. Each start of QEMU begins with it plugged in."""
        self._execute("set_link", name="duct-nic", up=is_up)
        self.connected = is_up

    @contextmanager
    def usb_stick(self, files: Mapping[str, bytes]) -> Iterator[None]:
        """A stick with these files, plugged in for the length of the block; its label is STICK."""
        image = self._folder / "stick.fat"
        with image.open("wb") as file:
            file.truncate(STICK_BYTES)
        run("mkfs.vfat", "-n", "STICK", image)
        for name, content in files.items():
            (self._folder / "on-stick").write_bytes(content)
            run("mcopy", "-o", "-i", image, self._folder / "on-stick", f"::{name}")
        self._execute(
            "blockdev-add", driver="raw", **{"node-name": "stick", "file": {"driver": "file", "filename": str(image)}}
        )
        self._execute("device_add", driver="usb-storage", id="stick", drive="stick", bus="xhci.0", port="4")
        since_ns = time.monotonic_ns()
        try:
            yield
        finally:
            self._execute("device_del", id="stick")
            self.until("DEVICE_DELETED", START_LIMIT_S, since_ns=since_ns)
            self._execute("blockdev-del", **{"node-name": "stick"})

    def until(self, event: str, limit_s: float, *, since_ns: int) -> Event:
        return self._desk.wait(self._qmp.until(event, limit_s, since_ns), limit_s + 5)

    def _execute(self, command: str, **arguments: Any) -> None:
        self._desk.wait(self._qmp.execute(command, **arguments), START_LIMIT_S)


class Bench(Host):
    """Everything around the board. `restore` puts all of it back to what a healthy, clean duct is like."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "127.0.0.1", host=TO_GUESTS)
        self.sensors = sensors_in(PRESET)
        self.peers = self._desk.do(lambda: Peers(folder))
        peers = self.peers
        self.cameras = {name: CameraHand(self._desk, peers.cameras[name], peers.camera_ports[name]) for name in CAMERAS}
        self.lines = Lines(self._desk, peers)
        self.machine = Machine(self._desk, peers.machine, folder)

    def __enter__(self) -> Self:
        super().__enter__()
        self._play(self.peers.run())
        return self

    def show(self, scene: Scene) -> None:
        for camera in self.cameras.values():
            camera.show(scene)

    def scenes(self) -> dict[str, Scene]:
        """What each camera looks at."""
        return self._desk.do(lambda: {name: peer.scene for name, peer in self.peers.cameras.items()})

    def pictures(self) -> dict[str, list[tuple[SentFrame, bytes]]]:
        """The last frames that the board took of each camera."""
        return {name: camera.pictures for name, camera in self.cameras.items()}

    def state(self) -> dict[str, str]:
        """Faults and lines, for people."""

        def told() -> dict[str, str]:
            cameras = {
                name: f"{peer.fault.value}, sent {peer.frames_sent}" for name, peer in self.peers.cameras.items()
            }
            lines = " ".join(line.name for line in Line if self.peers.bridge.lines.level(line))
            events = " ".join(event.name for event in self.peers.machine.events)
            own = {"bridge": self.peers.bridge.fault.value, "dust": self.peers.dust.fault.value}
            return {**cameras, **own, "lines that are high": lines, "events of the machine": events}

        return self._desk.do(told)

    def set_air(self, **values: float) -> None:
        """`temperature` (Cel), `humidity` (%RH), `pressure` (hPa), `gas_resistance` (Ohm) of the BME680."""

        def set_all() -> None:
            for name, value in values.items():
                setattr(self.peers.air, name, value)

        self._desk.do(set_all)

    def break_led(self) -> None:
        """The line goes high, and no light comes."""
        self._light(lambda: 0.0)

    def set_dust(self, values: Sequence[int]) -> None:
        """What the PMS5003 measures: values as in `plantower.frame`."""
        self._desk.do(lambda: setattr(self.peers.dust, "values", tuple(values)))

    def set_fine_dust(self, values: Sequence[int]) -> None:
        """What the PMSA003I on the I2C bus measures: values as in `plantower.frame`."""
        self._desk.do(lambda: setattr(self.peers.fine_dust, "values", tuple(values)))

    def fail_dust(self, fault: DustFault) -> None:
        self._desk.do(lambda: setattr(self.peers.dust, "fault", fault))

    def disturb_fine_dust(self, reads: int) -> None:
        """The next so many frames of the PMSA003I have a bit turned over: their checksums are wrong."""
        self._desk.do(lambda: setattr(self.peers.fine_dust, "disturbed_reads", reads))

    def hang_air(self) -> None:
        """The BME680 answers, and begins measurements, but finishes none."""
        self._desk.do(lambda: setattr(self.peers.air, "finishes", False))

    def fail_bridge(self, fault: BridgeFault) -> None:
        self._desk.do(lambda: setattr(self.peers.bridge, "fault", fault))

    def plug_bridge(self) -> None:
        self._desk.do(self.peers.bridge_port.plug)

    def unplug_bridge(self) -> None:
        self._desk.do(self.peers.bridge_port.unplug)

    def silence(self, address: int = BME680) -> None:
        """The chip at this address answers NAK."""
        self._desk.do(lambda: self.peers.bridge.naks.add(address))

    def unplug_all(self) -> None:
        """All of USB."""
        for camera in self.cameras.values():
            camera.unplug()
        self.unplug_bridge()

    def plug_in_order(self, cameras: Sequence[str], limit_s: float) -> None:
        self._desk.wait(self.peers.plug_in_order(cameras), limit_s)

    def restore(self) -> None:
        """What a test broke is whole again, for the next one."""
        self.broker.start()
        for camera in self.cameras.values():
            camera.fail(CameraFault.NONE)
            camera.plug()
        self._light(self.peers.light)
        self.show(CLEAN)
        self.fail_bridge(BridgeFault.NONE)
        self._desk.do(self.peers.bridge.naks.clear)
        self.plug_bridge()
        self.fail_dust(DustFault.NONE)
        self.set_dust(CLEAN_AIR)
        self.set_fine_dust(CLEAN_AIR)
        self.disturb_fine_dust(reads=0)
        self.set_air(**AIR)
        self._desk.do(lambda: setattr(self.peers.air, "finishes", True))
        for line in (Line.FAN, Line.BUTTON):
            self.lines.drive(line, None)
        if not self.machine.connected:
            self.machine.connect(True)

    def _light(self, light: Callable[[], float]) -> None:
        def set_all() -> None:
            for peer in self.peers.cameras.values():
                peer.light = light

        self._desk.do(set_all)


def now_ns() -> int:
    """The host's CLOCK_MONOTONIC, which frames sent and edges are stamped with."""
    return time.monotonic_ns()
