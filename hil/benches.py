"""Which bench the tests have: an environment of labgrid's names one of these drivers, and the suite runs the same.

`bench` is `hil.bench.Bench`, which plays all hardware, or has as much of it under the same names as the features of
its environment promise. `insert_card` puts the image with its preset file into the board, which has no power then.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import attr
from labgrid import target_factory
from labgrid.driver import Driver
from labgrid.protocol import PowerProtocol

from hil.bench import Bench
from hil.card import PRESET, flash, overlay, preset
from hil.physical import PhysicalBench
from hil.rig.peers import CAMERAS


class BenchDriver(Driver):  # type: ignore[misc]
    """What the fixtures ask an environment for."""

    bench: Any

    def on_deactivate(self) -> None:
        self.bench.__exit__(None, None, None)

    def insert_card(self) -> None:
        raise NotImplementedError


@target_factory.reg_driver
@attr.s(eq=False)
class VirtualBenchDriver(BenchDriver):
    """The host plays everything around the board, in `folder`, which is QEMU's too."""

    folder: str = attr.ib()
    image: str = attr.ib()
    key: str = attr.ib()

    def on_activate(self) -> None:
        self.bench = Bench(Path(self.folder))
        self.bench.__enter__()

    def insert_card(self) -> None:
        card = Path(self.folder) / "card.img"
        flash(Path(self.image), preset(PRESET, Path(self.key), self.bench.broker.port), card)
        overlay(card, Path(self.folder) / "disk.qcow2")


@target_factory.reg_driver
@attr.s(eq=False)
class PhysicalBenchDriver(BenchDriver):
    """Broker and web server on this host, which the board reaches as `host`; plugs are power drivers that are named
    after a camera. With an SD mux, its storage and an `image`, the card is flashed; else it is taken as it is.

    `preset` is the configuration of this board, as hil/rig.toml: $ssh_key and $broker_port in it are filled in.
    """

    bindings = {  # noqa: RUF012  # labgrid's form
        "mux": {"USBSDMuxDriver", None},
        "storage": {"USBStorageDriver", None},
    }
    host: str = attr.ib()
    preset: str = attr.ib(default=str(PRESET))
    key: str = attr.ib(default="")
    broker_port: int = attr.ib(default=1883)
    image: str = attr.ib(default="")
    folder: str = attr.ib(default="")

    def on_activate(self) -> None:
        folder = Path(self.folder or tempfile.mkdtemp(prefix="ductwatch-bench-"))
        plugs = {
            driver.name: self.target.get_driver(PowerProtocol, name=driver.name)
            for driver in self.target.drivers
            if isinstance(driver, PowerProtocol) and driver.name in CAMERAS
        }
        self.folder = str(folder)
        self.bench = PhysicalBench(folder, self.host, self.broker_port, Path(self.preset), plugs)
        self.bench.__enter__()

    def insert_card(self) -> None:
        mux: Any = self.mux
        if mux is None or self.storage is None or not self.image:
            return
        card = Path(self.folder) / "card.img"
        flash(Path(self.image), preset(Path(self.preset), Path(self.key), self.broker_port), card, None)
        mux.set_mode("host")
        self.storage.write_image(str(card))
        mux.set_mode("dut")
