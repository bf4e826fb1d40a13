"""All that a person can do to the rig: one table, from which the page makes its controls."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from hil.bench import Bench
from hil.rig.bme680 import HUMIDITIES_PERCENT, TEMPERATURES_C, Bme680Chip
from hil.rig.camera import CameraFault
from hil.rig.cp2112 import BridgeFault
from hil.rig.lines import Line
from hil.rig.peers import CAMERAS
from hil.rig.pictures import SCENES, Scene
from hil.rig.plantower import CLEAN_AIR
from hil.rig.pms5003 import DustFault

TOPIC = "ductwatch/rig"  # of the board that hil/rig.toml makes
FINGER_S = 0.3  # well above the board's debouncing
PM2_5 = 1  # where CLEAN_AIR has it
MOST_IN_WORD = 0xFFFF


_LOOKS = {scene: scene for scene in SCENES}


class Unfit(ValueError):
    """Nothing that a control can be set to; says what can."""


class Board(Protocol):
    """What a person does to the board itself."""

    def power(self, on: bool) -> None: ...

    def cable(self, plugged: bool) -> None:
        """The network's. May be moved without power, too."""


@dataclass(frozen=True, slots=True)
class Rig:
    bench: Bench
    board: Board


@dataclass(frozen=True, slots=True)
class Choice:
    """One of `options`, each with what it means."""

    options: Mapping[str, str]

    def accept(self, value: object) -> str:
        if not isinstance(value, str) or value not in self.options:
            raise Unfit(f"use one of {', '.join(self.options)}")
        return value


@dataclass(frozen=True, slots=True)
class Range:
    minimum: float
    maximum: float
    step: float
    unit: str
    by_powers: bool = False  # moved in equal factors, not in equal steps

    def accept(self, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Unfit("use a number")
        if not self.minimum <= value <= self.maximum:
            raise Unfit(f"use {self.minimum:g} to {self.maximum:g} {self.unit}")
        return float(value)


@dataclass(frozen=True, slots=True)
class Switch:
    """True or false, and the words for both."""

    on: str
    off: str

    def accept(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise Unfit("use true or false")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """`start` is what a healthy bench with a clean duct has."""

    name: str
    label: str
    kind: Choice | Range | Switch
    start: str | float | bool
    apply: Callable[[Rig, Any], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    name: str
    label: str
    apply: Callable[[Rig], None]


@contextmanager
def offered(scenes: Mapping[str, Scene]) -> Iterator[None]:
    """For the length of the block the cameras can look at these, too."""
    SCENES.update(scenes)
    _LOOKS.update({scene: scene for scene in scenes})
    try:
        yield
    finally:
        for scene in scenes:
            del SCENES[scene], _LOOKS[scene]


def pm_values(pm2_5: float) -> tuple[int, ...]:
    """The values of a Plantower frame in air with so many ug/m3, made up like clean air."""
    return tuple(min(round(value * pm2_5 / CLEAN_AIR[PM2_5]), MOST_IN_WORD) for value in CLEAN_AIR)


def described() -> dict[str, Any]:
    """The table for the page, as JSON can have it."""
    return {
        "controls": [
            {"name": it.name, "label": it.label, "start": it.start, "kind": type(it.kind).__name__} | _form(it.kind)
            for it in CONTROLS.values()
        ],
        "presses": [{"name": it.name, "label": it.label} for it in PRESSES.values()],
        "cameras": list(CAMERAS),
    }


def _form(kind: Choice | Range | Switch) -> dict[str, Any]:
    match kind:
        case Choice():
            return {"options": dict(kind.options)}
        case Range():
            fields = {"minimum": kind.minimum, "maximum": kind.maximum, "step": kind.step}
            return {**fields, "unit": kind.unit, "by_powers": kind.by_powers}
        case Switch():
            return {"on": kind.on, "off": kind.off}


def _faults(kind: type[Enum]) -> Choice:
    return Choice({fault.name: str(fault.value) for fault in kind})


def _camera(name: str) -> tuple[Control, ...]:
    def plug(rig: Rig, plugged: bool) -> None:
        camera = rig.bench.cameras[name]
        (camera.plug if plugged else camera.unplug)()

    return (
        Control(
            name=f"{name}.scene",
            label="looks at",
            kind=Choice(_LOOKS),
            start="clean",
            apply=lambda rig, scene: rig.bench.cameras[name].show(SCENES[scene]),
        ),
        Control(name=f"{name}.plugged", label="plug", kind=Switch("in", "pulled"), start=True, apply=plug),
        Control(
            name=f"{name}.fault",
            label="fault",
            kind=_faults(CameraFault),
            start="NONE",
            apply=lambda rig, fault: rig.bench.cameras[name].fail(CameraFault[fault]),
        ),
    )


def _plug_bridge(rig: Rig, plugged: bool) -> None:
    (rig.bench.plug_bridge if plugged else rig.bench.unplug_bridge)()


def _run_broker(rig: Rig, running: bool) -> None:
    (rig.bench.broker.start if running else rig.bench.broker.kill)()


def _set_dust(rig: Rig, pm2_5: float) -> None:
    """Both sensors are in the same air."""
    rig.bench.set_dust(pm_values(pm2_5))
    rig.bench.set_fine_dust(pm_values(pm2_5))


def _air(name: str, label: str, kind: Range) -> Control:
    start = float(getattr(Bme680Chip(), name))
    return Control(
        name=f"air.{name}", label=label, kind=kind, start=start, apply=lambda rig, it: rig.bench.set_air(**{name: it})
    )


_ALL = (
    Control(
        name="power", label="power", kind=Switch("on", "cut"), start=True, apply=lambda rig, on: rig.board.power(on)
    ),
    *(control for camera in CAMERAS for control in _camera(camera)),
    _air("temperature", "temperature", Range(*TEMPERATURES_C, 0.5, "°C")),
    _air("humidity", "humidity", Range(*HUMIDITIES_PERCENT, 1, "%RH")),
    _air("gas_resistance", "gas resistance", Range(1_000, 1_000_000, 1, "Ω", by_powers=True)),
    Control(name="air.pm2_5", label="PM2.5", kind=Range(0, 500, 1, "µg/m³"), start=5.0, apply=_set_dust),
    Control(name="bridge.plugged", label="bridge", kind=Switch("in", "pulled"), start=True, apply=_plug_bridge),
    Control(
        name="bridge.fault",
        label="I2C and GPIO bridge",
        kind=_faults(BridgeFault),
        start="NONE",
        apply=lambda rig, fault: rig.bench.fail_bridge(BridgeFault[fault]),
    ),
    Control(
        name="dust.fault",
        label="particle sensor on the serial line",
        kind=_faults(DustFault),
        start="NONE",
        apply=lambda rig, fault: rig.bench.fail_dust(DustFault[fault]),
    ),
    Control(
        name="fan",
        label="fan",
        kind=Switch("runs", "stands"),
        start=False,
        apply=lambda rig, runs: rig.bench.lines.drive(Line.FAN, False if runs else None),
    ),
    Control(
        name="network",
        label="network cable",
        kind=Switch("in", "pulled"),
        start=True,
        apply=lambda rig, plugged: rig.board.cable(plugged),
    ),
    Control(name="broker", label="MQTT broker", kind=Switch("runs", "killed"), start=True, apply=_run_broker),
)
CONTROLS = {control.name: control for control in _ALL}


def _command(name: str) -> Callable[[Rig], None]:
    payload = json.dumps({"command": name, "by": "playground"}).encode()
    return lambda rig: rig.bench.broker.send(f"{TOPIC}/command", payload)


PRESSES = {
    press.name: press
    for press in (
        Press(
            name="button",
            label="Press the board's button",
            apply=lambda rig: rig.bench.lines.press(Line.BUTTON, FINGER_S),
        ),
        Press(name="snapshot", label="Take a snapshot", apply=_command("snapshot")),
        Press(name="reset", label="Reset alarms", apply=_command("reset")),
    )
}
