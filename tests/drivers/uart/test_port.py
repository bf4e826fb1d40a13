from __future__ import annotations

import os
from pathlib import Path

import pytest

from drivers.faults import Fault
from drivers.uart.port import READ_S, Port

pytestmark = pytest.mark.real


def pty() -> tuple[int, int, Path]:
    master, slave = os.openpty()
    return master, slave, Path(os.ttyname(slave))


def test_bytes_go_both_ways_unchanged() -> None:
    master, slave, path = pty()
    port = Port(path, 9600)
    every_byte = bytes(range(256))
    os.write(master, every_byte)
    port.write(b"\x42\x4d\x03\x11\x13\x0d\x0a")

    assert port.read(256) == every_byte
    assert os.read(master, 100) == b"\x42\x4d\x03\x11\x13\x0d\x0a"
    port.close()
    os.close(slave)
    os.close(master)


def test_silence_ends_and_is_empty() -> None:
    master, slave, path = pty()
    port = Port(path, 9600)

    assert READ_S < 1
    assert port.read(32) == b""
    port.close()
    os.close(slave)
    os.close(master)


def test_flushing_throws_away_what_came_and_nothing_that_comes_after() -> None:
    master, slave, path = pty()
    port = Port(path, 9600)
    os.write(master, b"old" * 3000)
    port.read(0)
    port.flush()
    os.write(master, b"new")

    assert port.read(3) == b"new"
    port.close()
    os.close(slave)
    os.close(master)


def test_a_second_program_on_the_port_is_refused() -> None:
    master, slave, path = pty()
    port = Port(path, 9600)

    with pytest.raises(Fault, match=rf"{path} is in use\. Stop the other program \(fuser -v {path}\)"):
        Port(path, 9600)
    port.close()
    Port(path, 9600).close()
    os.close(slave)
    os.close(master)


def test_an_unplugged_port_says_so_and_still_closes() -> None:
    master, slave, path = pty()
    port = Port(path, 9600)
    os.close(slave)
    os.close(master)

    for use in (lambda: port.read(32), lambda: port.write(b"x"), port.flush):
        with pytest.raises(Fault, match=f"{path} failed"):
            use()
    port.close()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/dev/ttyS123", r"there is no /dev/ttyS123\. Switch the serial port on"),
        ("/dev/null", r"/dev/null failed: .*\. Check that it is a serial port"),
    ],
)
def test_what_is_no_port_is_refused(path: str, message: str) -> None:
    with pytest.raises(Fault, match=message):
        Port(Path(path), 9600)
