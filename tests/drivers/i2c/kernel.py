"""Plays the kernel's i2c-dev to `drivers.i2c.bus.Address`, reading the caller's memory as the kernel does."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import threading
from pathlib import Path
from typing import Any, Protocol

MESSAGE = struct.Struct("@HHHP")  # struct i2c_msg, with the alignment of this machine
TRANSFER = struct.Struct("@PI")  # struct i2c_rdwr_ioctl_data
PLAIN_I2C = 0x1


class Chip(Protocol):
    def write(self, data: bytes) -> None: ...

    def read(self, length: int) -> bytes: ...


class Kernel:
    """A bus with chips on it, and what can go wrong: an errno for every transfer, a driver that holds an address,
    an adapter that cannot do plain I2C, a transfer that hangs until `gate` is opened."""

    def __init__(self, bus: Path, chips: dict[int, Chip]) -> None:
        bus.touch()
        self.chips = chips
        self.fails_with: int | None = None
        self.held: set[int] = set()
        self.abilities = PLAIN_I2C
        self.gate = threading.Event()
        self.gate.set()
        self.transfers: list[list[tuple[int, int, int]]] = []

    def ioctl(self, fd: int, request: int, argument: Any) -> int:
        os.fstat(fd)  # EBADF if it is not open
        if request == 0x0705:  # I2C_FUNCS
            argument.value = self.abilities
        elif request == 0x0703:  # I2C_SLAVE
            if argument in self.held:
                raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        elif request == 0x0707:  # I2C_RDWR
            return self._transfer(bytes(argument))
        else:
            raise OSError(errno.ENOTTY, os.strerror(errno.ENOTTY))
        return 0

    def _transfer(self, transfer: bytes) -> int:
        self.gate.wait()
        if self.fails_with is not None:
            raise OSError(self.fails_with, os.strerror(self.fails_with))
        start, count = TRANSFER.unpack(transfer[: TRANSFER.size])
        size = ctypes.sizeof(ctypes.c_void_p) * 2
        messages = [MESSAGE.unpack(ctypes.string_at(start + n * size, MESSAGE.size)) for n in range(count)]
        self.transfers.append([(address, flags, length) for address, flags, length, _ in messages])
        for address, flags, length, buffer in messages:
            chip = self.chips.get(address)
            if chip is None:
                raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))
            if flags & 1:
                ctypes.memmove(buffer, chip.read(length).ljust(length, b"\xff"), length)
            else:
                chip.write(ctypes.string_at(buffer, length))
        return int(count)
