"""What can be made to go wrong on the simulated board, when, and with which device."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from drivers.settings import Duration
from drivers.types import SourceId


class Concerns(Enum):
    """Which devices a fault can be narrowed down to by their name."""

    CAMERA = "a camera"
    SENSOR = "a sensor"
    BOARD = "the whole board"


class Fault(Enum):
    """A fault by its name on the command line, what it concerns, and what happens while it lasts.

    The board itself carries out `BROKER_DOWN` and `DISK_FULL`; all others happen in the simulated devices.
    """

    CAMERA_BLIND = ("camera-blind", Concerns.CAMERA, "the lens is covered: black pictures, light or not")
    CAMERA_FROZEN = ("camera-frozen", Concerns.CAMERA, "the camera delivers the same picture over and over")
    CAMERA_UNPLUGGED = ("camera-unplugged", Concerns.CAMERA, "the camera is gone, and back when the fault ends")
    CAMERA_CORRUPT = ("camera-corrupt", Concerns.CAMERA, "pictures arrive damaged and cannot be read")
    LED_DEAD = ("led-dead", Concerns.BOARD, "the light stays dark, whatever it is told")
    LENS_FOG = ("lens-fog", Concerns.CAMERA, "the lens fogs over within 15 s, and clears when the fault ends")
    LENS_DUST = ("lens-dust", Concerns.CAMERA, "dust on the lens: the same specks in every picture")
    OVEREXPOSED = ("overexposed", Concerns.CAMERA, "the exposure is stuck far too high: white pictures")
    SENSOR_DEAD = ("sensor-dead", Concerns.SENSOR, "the sensor no longer answers")
    SENSOR_HANGS = ("sensor-hangs", Concerns.SENSOR, "reading the sensor blocks and does not return")
    SENSOR_RUBBISH = ("sensor-rubbish", Concerns.SENSOR, "the sensor answers with bad checksums and impossible values")
    PARTICULATES_NOISE = ("particulates-noise", Concerns.SENSOR, "the particulate sensor's values jump about wildly")
    DUCT_CLEANED = ("duct-cleaned", Concerns.BOARD, "the walls are clean while it lasts, and get dirty anew afterwards")
    FAN_OFF = ("fan-off", Concerns.BOARD, "the fan stands still")
    BROKER_DOWN = ("broker-down", Concerns.BOARD, "the broker cannot be reached")
    DISK_FULL = ("disk-full", Concerns.BOARD, "nothing more can be written to the disk")

    def __init__(self, title: str, concerns: Concerns, explanation: str) -> None:
        self.title = title
        self.concerns = concerns
        self.explanation = explanation


BY_TITLE = {fault.title: fault for fault in Fault}
FORM = "NAME[:DEVICE][@START[+DURATION]], such as lens-fog@20s or camera-blind:upstream@20s+30s"
_FORM = re.compile(r"(?P<title>[^:@+]+)(:(?P<device>[^:@+]+))?(@(?P<start>[^:@+]+)(\+(?P<lasts>[^:@+]+))?)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFault:
    """A fault from `start_ns` on, in the duct's time since the start; for ever where `end_ns` is None.

    It concerns every device of its kind where `device` is None.
    """

    fault: Fault
    device: SourceId | None = None
    start_ns: int = 0
    end_ns: int | None = None

    def holds(self, elapsed_ns: int) -> bool:
        return self.start_ns <= elapsed_ns and (self.end_ns is None or elapsed_ns < self.end_ns)


class Faults:
    """All that is planned to go wrong in one run."""

    def __init__(self, planned: Iterable[PlannedFault] = ()) -> None:
        self._planned = tuple(planned)

    def since_ns(self, fault: Fault, device: SourceId | None, elapsed_ns: int) -> int | None:
        """When the fault that holds now began, or None. `device` None asks for the board itself."""
        starts = [
            planned.start_ns
            for planned in self._planned
            if planned.fault is fault and planned.device in (None, device) and planned.holds(elapsed_ns)
        ]
        return min(starts, default=None)

    def edges_ns(self, fault: Fault) -> tuple[int, ...]:
        """The moments at which the fault begins or ends, in order."""
        edges = {planned.start_ns for planned in self._planned if planned.fault is fault}
        edges |= {planned.end_ns for planned in self._planned if planned.fault is fault and planned.end_ns is not None}
        return tuple(sorted(edges))


def parse_fault(text: str) -> PlannedFault:
    """Read a fault as it is written on the command line. Raises ValueError with the accepted form and names."""
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a fault: write {FORM}")
    fault = BY_TITLE.get(match["title"])
    if fault is None:
        raise ValueError(_unknown(match["title"]))
    if match["device"] is not None and fault.concerns is Concerns.BOARD:
        raise ValueError(f"{fault.title} concerns the whole board: leave out {':' + match['device']!r}")
    start_ns = _duration_ns(text, match["start"]) if match["start"] else 0
    return PlannedFault(
        fault=fault,
        device=SourceId(match["device"]) if match["device"] else None,
        start_ns=start_ns,
        end_ns=start_ns + _duration_ns(text, match["lasts"]) if match["lasts"] else None,
    )


def check_devices(faults: Iterable[PlannedFault], *, cameras: Iterable[str], sensors: Iterable[str]) -> None:
    """Raise ValueError for a fault that names a device which the board does not have."""
    present = {Concerns.CAMERA: sorted(cameras), Concerns.SENSOR: sorted(sensors)}
    for planned in faults:
        names = present.get(planned.fault.concerns, [])
        if planned.device is not None and planned.device not in names:
            there_are = ", ".join(names) or "none"
            raise ValueError(
                f"{planned.fault.title}:{planned.device}: the board has no such device. "
                f"Name {planned.fault.concerns.value}: {there_are}"
            )


def explain() -> str:
    """Every fault with its line of help, for the command line."""
    return "\n".join(f"{fault.title:<20}{fault.explanation}" for fault in Fault)


def _duration_ns(text: str, duration: str) -> int:
    try:
        return Duration.parse(duration).ns
    except ValueError as error:
        raise ValueError(f"fault {text!r}: {error}") from error


def _unknown(title: str) -> str:
    near = difflib.get_close_matches(title, BY_TITLE, n=1)
    question = f" Did you mean {near[0]}?" if near else ""
    return f"unknown fault {title!r}.{question} There are: {', '.join(BY_TITLE)}"
