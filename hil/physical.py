"""A bench of real hardware, as far as the host commands it: broker, web server, plugs that have a switch.

Its cameras look at a clean duct: a print will do. Whoever builds more hands into a bench adds them here, under the
names that `hil.bench.Bench` has, and lists their feature in the environment.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hil.broker import Broker
from hil.desk import Desk
from hil.rig.pictures import Scene
from hil.web import FileServer


class Plug:
    """A camera whose power has a switch. `power` is one of labgrid's power drivers."""

    def __init__(self, power: Any) -> None:
        self._power = power

    def plug(self) -> None:
        self._power.on()

    def unplug(self) -> None:
        self._power.off()


class PhysicalBench:
    """`host` is this host's address to the board."""

    def __init__(self, folder: Path, host: str, broker_port: int, preset: Path, plugs: Mapping[str, Any]) -> None:
        self.host = host
        self.sensors = sensors_in(preset)
        self.cameras = {name: Plug(power) for name, power in plugs.items()}
        self._desk = Desk()
        self.broker = self._desk.do(lambda: Broker(self._desk, folder, host=host, port=broker_port))
        self.messages = self.broker.messages
        self.files = FileServer(folder / "web", host)
        self._ends: list[Callable[[], None]] = []

    def __enter__(self) -> Self:
        self._ends = [self._desk.spawn(self.broker.listen())]
        self.broker.start()
        self.files.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.files.stop()
        for end in self._ends:
            end()
        self.broker.kill()
        self._desk.close()

    def restore(self) -> None:
        """What a test broke is whole again, for the next one."""
        self.broker.start()
        for camera in self.cameras.values():
            camera.plug()

    def scenes(self) -> dict[str, Scene]:
        """The host does not know what the cameras look at."""
        return {}

    def state(self) -> dict[str, str]:
        return {"host": self.host, "plugs with a switch": " ".join(self.cameras)}


def sensors_in(preset: Path) -> tuple[str, ...]:
    """Names of the sensors that a preset file configures, whose readings a board that is well sends."""
    document = tomllib.loads(preset.read_text().replace("$broker_port", "0"))
    return tuple(sensor["name"] for sensor in document.get("sensor", ()))
