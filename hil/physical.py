"""A bench of real hardware, as far as the host commands it: broker, web server, plugs that have a switch.

Its cameras look at a clean duct: a print will do. Whoever builds more hands into a bench adds them here, under the
names that `hil.bench.Bench` has, and lists their feature in the environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hil.card import sensors_in
from hil.host import Host
from hil.rig.camera import SentFrame
from hil.rig.pictures import Scene


class Plug:
    """A camera whose power has a switch. `power` is one of labgrid's power drivers."""

    def __init__(self, power: Any) -> None:
        self._power = power

    def plug(self) -> None:
        self._power.on()

    def unplug(self) -> None:
        self._power.off()


class PhysicalBench(Host):
    """`host` is this host's address to the board."""

    def __init__(self, folder: Path, host: str, broker_port: int, preset: Path, plugs: Mapping[str, Any]) -> None:
        super().__init__(folder, host, host=host, broker_port=broker_port)
        self.sensors = sensors_in(preset)
        self.cameras = {name: Plug(power) for name, power in plugs.items()}

    def restore(self) -> None:
        """What a test broke is whole again, for the next one."""
        self.broker.start()
        for camera in self.cameras.values():
            camera.plug()

    def scenes(self) -> dict[str, Scene]:
        """The host does not know what the cameras look at."""
        return {}

    def pictures(self) -> dict[str, list[tuple[SentFrame, bytes]]]:
        """Nor what they saw."""
        return {}

    def state(self) -> dict[str, str]:
        return {"host": self.host, "plugs with a switch": " ".join(self.cameras)}
