"""One device on an I2C bus, through /dev/i2c-N (kernel documentation: i2c/dev-interface.rst, <linux/i2c-dev.h>)."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from drivers.faults import Fault
from drivers.settings import SensorSettings

Ioctl = Callable[[int, int, Any], int]
"""`fcntl.ioctl`, or what plays the kernel in a test."""

I2C_SLAVE = 0x0703
I2C_FUNCS = 0x0705
I2C_RDWR = 0x0707
I2C_M_RD = 0x0001  # flag of a message: the device sends
I2C_FUNC_I2C = 0x00000001  # the adapter does plain I2C, not SMBus commands only

MAX_MESSAGE_BYTES = 8192  # i2cdev_ioctl_rdwr() refuses longer ones


class I2cSettings(SensorSettings, frozen=True, kw_only=True):
    """Where a sensor sits. `bus` is a device file, `address` has 7 bits, without the read/write bit."""

    address: int
    bus: Path = Path("/dev/i2c-1")

    def claims(self) -> tuple[str, ...]:
        return (f"{self.bus} address 0x{self.address:02x}",)


class _Message(ctypes.Structure):  # struct i2c_msg
    _fields_ = (
        ("addr", ctypes.c_uint16),
        ("flags", ctypes.c_uint16),
        ("len", ctypes.c_uint16),
        ("buf", ctypes.c_void_p),
    )


class _Transfer(ctypes.Structure):  # struct i2c_rdwr_ioctl_data
    _fields_ = (("msgs", ctypes.c_void_p), ("nmsgs", ctypes.c_uint32))


class Address:
    """The device at one address of one bus. Open from construction to `close`.

    All methods block: some milliseconds, and up to the adapter's timeout (1 s by default) where the bus is stuck.
    They raise `Fault`. The kernel locks the adapter for each transfer, so devices on one bus need no lock here.
    """

    def __init__(self, bus: Path, address: int, *, ioctl: Ioctl = fcntl.ioctl) -> None:
        self._bus = bus
        self._address = address
        self._ioctl = ioctl
        try:
            self._fd = os.open(bus, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise self._fault(error, OPENING) from error
        try:
            self._check()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        os.close(self._fd)

    def write(self, data: bytes) -> None:
        self._transfer((0, ctypes.create_string_buffer(data, len(data))))

    def read(self, length: int) -> bytes:
        answer = ctypes.create_string_buffer(length)
        self._transfer((I2C_M_RD, answer))
        return answer.raw

    def write_then_read(self, data: bytes, length: int) -> bytes:
        """Both in one transfer with a repeated start, so that nobody comes in between."""
        answer = ctypes.create_string_buffer(length)
        self._transfer((0, ctypes.create_string_buffer(data, len(data))), (I2C_M_RD, answer))
        return answer.raw

    def _check(self) -> None:
        abilities = ctypes.c_ulong()
        try:
            self._ioctl(self._fd, I2C_FUNCS, abilities)
            if not abilities.value & I2C_FUNC_I2C:
                raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
            self._ioctl(self._fd, I2C_SLAVE, self._address)  # EBUSY if a kernel driver has it: I2C_RDWR would not tell
        except OSError as error:
            raise self._fault(error, OPENING) from error

    def _transfer(self, *parts: tuple[int, ctypes.Array[ctypes.c_char]]) -> None:
        messages = (_Message * len(parts))()
        for message, (flags, buffer) in zip(messages, parts, strict=True):
            if len(buffer) > MAX_MESSAGE_BYTES:
                raise ValueError(f"a message has at most {MAX_MESSAGE_BYTES} bytes, not {len(buffer)}")
            message.addr, message.flags, message.len = self._address, flags, len(buffer)
            message.buf = ctypes.addressof(buffer)
        try:
            self._ioctl(self._fd, I2C_RDWR, _Transfer(ctypes.addressof(messages), len(parts)))
        except OSError as error:
            raise self._fault(error, TRANSFER) from error

    def _fault(self, error: OSError, table: dict[int, tuple[str, str]]) -> Fault:
        problem, remedy = table.get(error.errno or 0, OTHER)
        number = self._bus.name.removeprefix("i2c-")
        words = {
            "bus": self._bus,
            "device": f"0x{self._address:02x} on {self._bus}",
            "detect": f"i2cdetect -y {number}" if number.isdigit() else "i2cdetect -l",
            "sysfs": f"/sys/bus/i2c/devices/{number}-{self._address:04x}",
            "error": error.strerror,
        }
        return Fault(problem.format(**words), remedy.format(**words))


OTHER = ("{device}: {error}", "Look for i2c in the kernel's messages: dmesg | grep -i i2c.")

NO_BUS = (
    "there is no {bus}",
    "Switch I2C on in the board's settings and modprobe i2c-dev, or plug the USB bridge in; set bus to one of "
    "ls /dev/i2c-*.",
)

OPENING: dict[int, tuple[str, str]] = {
    errno.ENOENT: NO_BUS,
    errno.EACCES: ("{bus} may not be opened", "Add the firmware's user to the group that owns {bus}."),
    errno.EPERM: ("{bus} may not be opened", "Allow {bus} in the service's DeviceAllow."),
    errno.ENOTTY: ("{bus} is not an I2C bus", "Set bus to one of ls /dev/i2c-*."),
    errno.EOPNOTSUPP: ("{bus} does SMBus commands only", "Connect the sensor to another bus."),
    errno.EBUSY: (
        "a driver of the kernel holds {device}",
        "Remove its device-tree overlay; readlink {sysfs}/driver names it.",
    ),
}

NO_ANSWER = ("no answer at {device}", "Check the sensor cable, then {detect}.")

TRANSFER: dict[int, tuple[str, str]] = {  # kernel documentation: i2c/fault-codes.rst
    errno.ENXIO: NO_ANSWER,
    errno.EREMOTEIO: NO_ANSWER,
    errno.EIO: NO_ANSWER,  # what adapters without finer words say
    errno.ETIMEDOUT: (  # SDA or SCL held low; the CP2112 bridge says this of a device that is not there, too
        "no answer in time at {device}",
        "Check the sensor cable, then {detect}. If nothing answers, unplug the bus's devices one by one: one holds it.",
    ),
    errno.EAGAIN: (
        "lost arbitration at {device}",
        "Another master or a disturbance is on the bus: shorten its cable, and keep it away from the fan's.",
    ),
    errno.ENODEV: NO_BUS,  # a bridge that was unplugged; in the words of the next opening, for it to be said once
}
