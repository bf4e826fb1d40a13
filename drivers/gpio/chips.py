"""Any GPIO chip of the kernel as a pin factory of gpiozero. Imported by `drivers.gpio.lines.open_chip` only.

By linuxpy, whose calls let the interpreter go on meanwhile. lgpio, which gpiozero would take, holds it for as long as
the kernel takes, and behind a USB bridge that hangs that is 5 s for each look at a line, with the whole firmware.
"""
# mypy: disallow-subclassing-any=False
# (gpiozero has no types)

from __future__ import annotations

import os
import re
import threading
from collections.abc import Sequence
from pathlib import Path

from gpiozero.pins import BoardInfo, HeaderInfo, PinInfo
from gpiozero.pins.local import LocalPiFactory, LocalPiPin
from linuxpy.gpio import device as kernel
from linuxpy.gpio import raw

from drivers.faults import Fault
from drivers.gpio.dimmer import Dimmer

DEVICES = Path("/dev")
CONSUMER = b"ductwatch"  # as gpioinfo shows it
PULLS = {
    "up": raw.LineFlag.BIAS_PULL_UP,
    "down": raw.LineFlag.BIAS_PULL_DOWN,
    "floating": raw.LineFlag.BIAS_DISABLED,
}
THE_LINE = 1  # each request is of one line: bit 0 of its masks


_open_chips: dict[int, ChipFactory] = {}
_opening = threading.Lock()


def open_chip(chip: str) -> ChipFactory:
    """The one factory of this process for a chip, given by file or label. Raises `Fault`.

    It is shared and stays open: its lines belong to whoever opened it, so that only then a line may be opened again
    after its service failed or the configuration was read anew. One that was unplugged is closed and opened anew.
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


class ChipFactory(LocalPiFactory):
    """One chip of any board: gpiozero's own factory wants a Raspberry Pi."""

    def __init__(self, number: int) -> None:
        super(LocalPiFactory, self).__init__()  # not that in between, whose pins are the whole process's
        self.number = number
        self.file = _open(number)
        self.pin_class = ChipPin
        about = kernel.get_info(self.file)
        self._info = chip_info(f"{about.name} {about.label}", [line.name for line in about.lines])

    def close(self) -> None:
        super().close()
        os.close(self.file)

    @property
    def gone(self) -> bool:
        try:
            kernel.get_chip_info(self.file)
        except OSError:
            return True
        return False


class ChipPin(LocalPiPin):
    """A line that changes once, to what it is meant to be: gpiozero's own makes it an input first and last, and an
    output low before it is high, so that a relay clicks at start and is left floating at the end."""

    factory: ChipFactory

    def __init__(self, factory: ChipFactory, info: PinInfo) -> None:
        super().__init__(factory, info)
        self._file: int | None = None  # of the kernel's line request, while the line is ours
        self._dimmer: Dimmer | None = None

    def output_with_state(self, state: float) -> None:
        self._let_go_of_pwm()
        self._ask_for(output(bool(state)))

    def input_with_pull(self, pull: str) -> None:
        self._let_go_of_pwm()
        self._ask_for(raw.gpio_v2_line_config(flags=raw.LineFlag.INPUT | PULLS[pull]))

    def close(self) -> None:
        """Leave the line as it is: what becomes of it then is up to the controller."""
        self._let_go_of_pwm()
        self._let_go()

    def _get_state(self) -> float:
        if self._dimmer is not None:
            return self._dimmer.part
        return float(kernel.get_values(self._file, THE_LINE).bits & THE_LINE)

    def _set_state(self, state: float) -> None:
        if self._dimmer is not None:
            self._dimmer.set(state)
        else:
            kernel.set_values(self._file, THE_LINE, THE_LINE if state else 0)

    def _get_frequency(self) -> float | None:
        return None if self._dimmer is None else self._dimmer.frequency_hz

    def _set_frequency(self, frequency_hz: float | None) -> None:
        """PWM is made by another library, which must have the line for itself: ours lets go of it, and takes it back
        low. A controller holds its level meanwhile, for microseconds. Without PWM the line stays as it was."""
        if self._dimmer is not None:
            self._let_go_of_pwm()
            self._ask_for(output(False))
        if frequency_hz is not None:
            before = bool(self._get_state())
            self._let_go()
            try:
                self._dimmer = Dimmer(self.factory.number, self._number, frequency_hz)
            except (Fault, OSError):
                self._ask_for(output(before))
                raise

    def _ask_for(self, config: raw.gpio_v2_line_config) -> None:
        if self._file is not None:
            kernel.ioctl(self._file, kernel.IOC.LINE_SET_CONFIG, config)
            return
        wanted = raw.gpio_v2_line_request(consumer=CONSUMER, config=config, num_lines=1)
        wanted.offsets[0] = self._number
        self._file = int(kernel.raw_request(self.factory.file, wanted, blocking=True).fd)

    def _let_go(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _let_go_of_pwm(self) -> None:
        dimmer, self._dimmer = self._dimmer, None
        if dimmer is not None:
            dimmer.close()


def output(high: bool) -> raw.gpio_v2_line_config:
    """An output that begins with this level (<linux/gpio.h>: GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES)."""
    config = raw.gpio_v2_line_config(flags=raw.LineFlag.OUTPUT, num_attrs=1)
    first = config.attrs[0]
    first.mask = THE_LINE
    first.attr.id = raw.LineAttrId.OUTPUT_VALUES
    first.attr.values = THE_LINE if high else 0
    return config


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
    """Labels of the chips that may be opened, by number."""
    labels = {}
    for device in DEVICES.glob("gpiochip*"):
        try:
            with device.open("rb", buffering=0) as file:
                labels[int(device.name.removeprefix("gpiochip"))] = kernel.get_chip_info(file).label
        except OSError:
            continue
    return labels


def _open(number: int) -> int:
    path = DEVICES / f"gpiochip{number}"
    try:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise Fault(
            f"{path} may not be opened ({error.strerror})",
            "Add the firmware's user to the group gpio, or allow it in the service's DeviceAllow.",
        ) from error
