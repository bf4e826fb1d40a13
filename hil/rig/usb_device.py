"""What a USB port asks of the device that is plugged into it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from hil.rig.descriptors import Descriptors

FROM_DEVICE = 0x80  # bit of a request's type and of an endpoint's address
GET_DESCRIPTOR = 6  # USB 2.0, table 9-4


class Stalled(Exception):
    """The device refuses a control request."""


@dataclass(frozen=True, slots=True)
class Setup:
    """A control request: USB 2.0, 9.3."""

    request_type: int
    request: int
    value: int
    index: int
    length: int

    @property
    def reads(self) -> bool:
        return bool(self.request_type & FROM_DEVICE)


class UsbDevice:
    """A device that does nothing: a real one overrides what it does. It has one endpoint of a kind and direction.

    `data_ready` is set by the device when there may be something for its bulk endpoint.
    """

    def __init__(self, descriptors: Descriptors) -> None:
        self.descriptors = descriptors
        self.data_ready = asyncio.Event()

    @property
    def hung(self) -> bool:
        """Plugged in, but no answer to anything."""
        return False

    def control(self, setup: Setup, data: bytes) -> bytes:  # noqa: ARG002
        """Carry out a request that is not for every device, and return what it reads. Raises `Stalled`."""
        raise Stalled

    def interrupt_out(self, data: bytes) -> Iterable[tuple[int, bytes]]:  # noqa: ARG002
        """Take data, and return what the device sends in answer, each with its endpoint."""
        return ()

    def bulk_in(self, length: int) -> bytes | None:  # noqa: ARG002
        """The next up to `length` bytes; None if there are none yet."""
        return None

    def halt_cleared(self, endpoint: int) -> None:
        """The host starts this endpoint anew."""

    def bus_reset(self) -> None:
        """The host starts the device anew, which keeps its power."""

    def power_lost(self) -> None:
        """Unplugged, or the board's power went: whatever is not burnt in is forgotten."""

    async def run(self) -> None:
        """What the device does by itself. Cancelled when the board's power goes."""
