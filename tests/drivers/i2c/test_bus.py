from __future__ import annotations

import errno
from pathlib import Path

import pytest

from drivers.faults import Fault
from drivers.i2c.bus import Address, I2cSettings
from drivers.settings import from_table
from tests.drivers.i2c.kernel import Kernel

pytestmark = pytest.mark.real


class Memory:
    """A chip that reads back from the register written before, and keeps what was written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def read(self, length: int) -> bytes:
        return bytes(self.written[-1][0] + n & 0xFF for n in range(length)) if self.written else bytes(length)


@pytest.fixture
def bus(tmp_path: Path) -> Path:
    return tmp_path / "i2c-7"


def test_a_register_is_read_in_one_transfer_with_a_repeated_start(bus: Path) -> None:
    kernel = Kernel(bus, {0x77: Memory()})
    chip = Address(bus, 0x77, ioctl=kernel.ioctl)

    assert chip.write_then_read(b"\xd0", 4) == b"\xd0\xd1\xd2\xd3"
    assert kernel.transfers == [[(0x77, 0, 1), (0x77, 1, 4)]]
    chip.close()


def test_writes_and_reads_stand_alone(bus: Path) -> None:
    memory = Memory()
    chip = Address(bus, 0x12, ioctl=Kernel(bus, {0x12: memory}).ioctl)

    chip.write(b"\x01\x00\xff")
    assert chip.read(3) == b"\x01\x02\x03"
    assert memory.written == [b"\x01\x00\xff"]
    chip.close()


def test_a_closed_device_answers_no_more(bus: Path) -> None:
    chip = Address(bus, 0x77, ioctl=Kernel(bus, {0x77: Memory()}).ioctl)
    chip.close()

    with pytest.raises(Fault):
        chip.read(1)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (errno.ENXIO, "no answer at 0x77 on {bus}. Check the sensor cable, then i2cdetect -y 7."),
        (errno.EREMOTEIO, "no answer at 0x77 on {bus}. Check the sensor cable, then i2cdetect -y 7."),
        (
            errno.ETIMEDOUT,
            "no answer in time at 0x77 on {bus}. Check the sensor cable, then i2cdetect -y 7. If nothing answers",
        ),
        (errno.EAGAIN, "lost arbitration at 0x77 on {bus}. Another master"),
        (
            errno.ENODEV,
            "there is no {bus}. Switch I2C on in the board's settings and modprobe i2c-dev, or plug the USB",
        ),
        (errno.EINVAL, "0x77 on {bus}: Invalid argument. Look for i2c in the kernel's messages"),
    ],
    ids=["nak", "nak of some adapters", "clock held", "arbitration", "bridge unplugged", "anything else"],
)
def test_a_transfer_that_fails_says_what_to_do(bus: Path, error: int, message: str) -> None:
    kernel = Kernel(bus, {0x77: Memory()})
    chip = Address(bus, 0x77, ioctl=kernel.ioctl)
    kernel.fails_with = error

    with pytest.raises(Fault) as fault:
        chip.read(1)
    chip.close()

    assert str(fault.value).startswith(message.format(bus=bus))


def test_a_bus_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Fault, match=r"there is no .*i2c-9\. Switch I2C on"):
        Address(tmp_path / "i2c-9", 0x77)


def test_a_device_file_that_is_no_bus() -> None:
    with pytest.raises(Fault, match="/dev/null is not an I2C bus"):
        Address(Path("/dev/null"), 0x77)


def test_an_adapter_that_does_smbus_commands_only(bus: Path) -> None:
    kernel = Kernel(bus, {})
    kernel.abilities = 0x0EFF0008
    with pytest.raises(Fault, match="does SMBus commands only"):
        Address(bus, 0x77, ioctl=kernel.ioctl)


def test_a_kernel_driver_that_holds_the_address_is_named(bus: Path) -> None:
    kernel = Kernel(bus, {0x77: Memory()})
    kernel.held = {0x77}
    with pytest.raises(Fault, match=r"a driver of the kernel holds 0x77 .* readlink .*/7-0077/driver names it"):
        Address(bus, 0x77, ioctl=kernel.ioctl)


def test_one_address_of_one_bus_is_claimed() -> None:
    table = {"name": "duct-gas", "driver": "x", "bus": "/dev/i2c-3", "address": 0x76}
    assert from_table(table, I2cSettings).claims() == ("/dev/i2c-3 address 0x76",)
