"""Any GPIO chip of the kernel as a pin factory of gpiozero. Imported by `drivers.gpio.lines.open_chip` only."""
# mypy: disallow-subclassing-any=False
# (gpiozero has no types)

from __future__ import annotations

import fcntl
import re
import threading
from collections.abc import Sequence
from pathlib import Path

import lgpio
from gpiozero.pins import BoardInfo, HeaderInfo, PinInfo
from gpiozero.pins.lgpio import LGPIOFactory, LGPIOPin
from gpiozero.pins.local import LocalPiFactory

from drivers.faults import Fault

DEVICES = Path("/dev")
GPIO_GET_CHIPINFO_IOCTL = 0x8044B401  # <linux/gpio.h>: struct gpiochip_info, name[32], label[32] and number of lines
PULLS = {"up": lgpio.SET_PULL_UP, "down": lgpio.SET_PULL_DOWN, "floating": lgpio.SET_PULL_NONE}


_open_chips: dict[int, ChipFactory] = {}
_opening = threading.Lock()


def open_chip(chip: str) -> ChipFactory:
    """The one factory of this process for a chip, given by file or label. Raises `Fault`.

    It is shared and stays open: its lines belong to whoever opened it, so that only then a line may be opened again
    after its service failed or the configuration was read anew; and closing takes lgpio 0.1 s, during which it holds
    the interpreter and with it the firmware. One that was unplugged is closed and opened anew.
    """
    with _opening:
        number = find(chip)
        factory = _open_chips.get(number)
        if factory is not None and factory.gone:
            del _open_chips[number]
            factory.close()
            factory = None
        if factory is None:
            factory = _open_chips[number] = ChipFactory(number)
        return factory


class ChipFactory(LGPIOFactory):
    """One chip of any board: gpiozero's own factory wants a Raspberry Pi."""

    def __init__(self, number: int) -> None:
        super(LocalPiFactory, self).__init__()  # not those in between, which ask for the Raspberry Pi's revision
        self._chip = number
        self._handle = _open(number)
        self.pin_class = ChipPin
        _, count, name, label = lgpio.gpio_get_chip_info(self._handle)
        lines = [lgpio.gpio_get_line_info(self._handle, line)[3] for line in range(count)]
        self._info = chip_info(f"{name} {label}", lines)

    @property
    def gone(self) -> bool:
        try:
            lgpio.gpio_get_chip_info(self._handle)
        except lgpio.error:
            return True
        return False


class ChipPin(LGPIOPin):
    """A line that changes once, to what it is meant to be: gpiozero's own makes it an input first and last, and an
    output low before it is high, so that a relay clicks at start and is left floating at the end."""

    def __init__(self, factory: ChipFactory, info: PinInfo) -> None:
        super(LGPIOPin, self).__init__(factory, info)
        self._pwm = None
        self._bounce = None
        self._callback = None
        self._edges = lgpio.BOTH_EDGES

    def output_with_state(self, state: float) -> None:
        lgpio.gpio_claim_output(self.factory._handle, self._number, int(state))
        lgpio.gpio_write(self.factory._handle, self._number, int(state))  # if it was ours already, claiming did nothing

    def input_with_pull(self, pull: str) -> None:
        lgpio.gpio_claim_input(self.factory._handle, self._number, PULLS[pull])

    def close(self) -> None:
        """Leave the line as it is: closing the chip gives it back."""


def chip_info(model: str, lines: Sequence[str]) -> BoardInfo:
    """What gpiozero wants to know about a board: pins, found by number, `GPIO` and number, or the kernel's name."""
    pins = {
        number: PinInfo(
            number=number,
            name=f"GPIO{number}",
            names=frozenset({number, str(number), f"GPIO{number}"} | ({name} if lines.count(name) == 1 else set())),
            pull="",
            row=number + 1,
            col=1,
            interfaces=frozenset({"gpio"}),
        )
        for number, name in enumerate(lines)
    }
    header = HeaderInfo(name="chip", rows=len(lines), columns=1, pins=pins)
    return BoardInfo(**(dict.fromkeys(BoardInfo._fields, "") | {"model": model, "headers": {header.name: header}}))


def find(chip: str) -> int:
    """The number of the chip with this file or label. Raises `Fault` that lists those that there are."""
    if chip.startswith("/"):
        match = re.fullmatch(r"gpiochip(\d+)", Path(chip).resolve().name)
        if match is not None and Path(chip).exists():
            return int(match[1])
    known = _chips()
    meant = sorted(number for number, label in known.items() if label == chip)
    if len(meant) == 1:
        return meant[0]
    if meant:
        files = " or ".join(f"/dev/gpiochip{number}" for number in meant)
        raise Fault(f"{len(meant)} GPIO chips are called {chip}", f"Set chip to {files}.")
    here = ", ".join(f"/dev/gpiochip{number} ({label})" for number, label in sorted(known.items()))
    raise Fault(
        f"there is no GPIO chip {chip}",
        f"Set chip to one of {here}." if here else "Connect it, and check /dev/gpiochip* and who may open it.",
    )


def _chips() -> dict[int, str]:
    """Labels of the chips that may be opened, by number. Not through lgpio, whose closing takes 0.1 s for each."""
    labels = {}
    for device in DEVICES.glob("gpiochip*"):
        try:
            with device.open("rb", buffering=0) as file:
                info = fcntl.ioctl(file, GPIO_GET_CHIPINFO_IOCTL, bytes(68))
        except OSError:
            continue
        labels[int(device.name.removeprefix("gpiochip"))] = info[32:64].partition(b"\0")[0].decode(errors="replace")
    return labels


def _open(number: int) -> int:
    try:
        return int(lgpio.gpiochip_open(number))
    except lgpio.error as error:
        raise Fault(
            f"/dev/gpiochip{number} may not be opened ({error.value})",
            "Add the firmware's user to the group gpio, or allow it in the service's DeviceAllow.",
        ) from error
