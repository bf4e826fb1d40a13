"""The controls of the camera: what a host reads of them, what it sets, and what that does to a picture."""

from __future__ import annotations

from dataclasses import dataclass

from hil.rig.usb_device import Setup, Stalled
from hil.rig.uvc import CAMERA, CONTROL_INTERFACE, PROCESSING

SET_CUR, GET_CUR, GET_MIN, GET_MAX, GET_RES, GET_LEN, GET_INFO, GET_DEF = 0x01, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87
READABLE_AND_SETTABLE = 3  # GET_INFO: table 4-3
ERROR_CODE = 0x02  # selector of the request error code control, of the interface itself: 4.2.1.2
OUT_OF_RANGE, INVALID_CONTROL, INVALID_REQUEST = 0x04, 0x06, 0x07
MANUAL, APERTURE_PRIORITY = 0x01, 0x08  # exposure modes, as bits: table 4-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """For the exposure mode, a menu, `step` has the bits of all modes."""

    entity: int
    selector: int
    size_bytes: int
    minimum: int
    maximum: int
    step: int = 1
    default: int

    def allows(self, value: int) -> bool:
        return value in (MANUAL, APERTURE_PRIORITY) if self is EXPOSURE_MODE else self.minimum <= value <= self.maximum


EXPOSURE_MODE = Control(
    entity=CAMERA, selector=0x02, size_bytes=1, minimum=MANUAL, maximum=APERTURE_PRIORITY,
    step=MANUAL | APERTURE_PRIORITY, default=APERTURE_PRIORITY,
)  # fmt: skip
EXPOSURE_100_US = Control(entity=CAMERA, selector=0x04, size_bytes=4, minimum=1, maximum=5000, default=200)
BRIGHTNESS = Control(entity=PROCESSING, selector=0x02, size_bytes=2, minimum=-64, maximum=64, default=0)
GAIN = Control(entity=PROCESSING, selector=0x04, size_bytes=2, minimum=16, maximum=255, default=64)
CONTROLS = {(it.entity, it.selector): it for it in (EXPOSURE_MODE, EXPOSURE_100_US, BRIGHTNESS, GAIN)}


@dataclass(frozen=True, slots=True)
class Development:
    """What the controls make of the light: `exposure` times as much of it as usual, of which `gain` by amplifying,
    and `brightness` levels of 255 on top."""

    exposure: float = 1.0
    gain: float = 1.0
    brightness: int = 0


class Controls:
    """Their present values. In automatic exposure, as after power-up, pictures are as exposed as they were drawn."""

    def __init__(self) -> None:
        self._values = dict.fromkeys(CONTROLS.values(), 0)
        self._error = 0
        self.reset()

    def reset(self) -> None:
        for control in self._values:
            self._values[control] = control.default

    def value(self, control: Control) -> int:
        return self._values[control]

    @property
    def development(self) -> Development:
        manual = self.value(EXPOSURE_MODE) == MANUAL
        time = self.value(EXPOSURE_100_US) / EXPOSURE_100_US.default if manual else 1.0
        gain = self.value(GAIN) / GAIN.default
        return Development(exposure=time * gain, gain=gain, brightness=self.value(BRIGHTNESS))

    def request(self, setup: Setup, data: bytes) -> bytes:
        """Answer a request to the control interface. Raises `Stalled`, and says why if asked next."""
        entity, interface, selector = setup.index >> 8, setup.index & 0xFF, setup.value >> 8
        if (entity, interface, selector) == (0, CONTROL_INTERFACE, ERROR_CODE):
            return bytes([self._error])
        control = CONTROLS.get((entity, selector))
        if control is None or interface != CONTROL_INTERFACE:
            raise self._stalled(INVALID_CONTROL)
        self._error = 0
        return self._set(control, data) if setup.request == SET_CUR else self._get(control, setup.request)

    def _set(self, control: Control, data: bytes) -> bytes:
        value = int.from_bytes(data, "little", signed=control.minimum < 0)
        if len(data) != control.size_bytes or not control.allows(value):
            raise self._stalled(OUT_OF_RANGE)
        self._values[control] = value
        return b""

    def _get(self, control: Control, request: int) -> bytes:
        if request == GET_LEN:
            return control.size_bytes.to_bytes(2, "little")
        if request == GET_INFO:
            return bytes([READABLE_AND_SETTABLE])
        answers = {
            GET_CUR: self.value(control),
            GET_MIN: control.minimum,
            GET_MAX: control.maximum,
            GET_RES: control.step,
            GET_DEF: control.default,
        }
        if request not in answers:
            raise self._stalled(INVALID_REQUEST)
        return answers[request].to_bytes(control.size_bytes, "little", signed=control.minimum < 0)

    def _stalled(self, error: int) -> Stalled:
        self._error = error
        return Stalled()
