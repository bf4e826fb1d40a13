"""What goes wrong with a device, by what the caller does about it."""

from __future__ import annotations

from drivers.types import SourceId


class DriverError(Exception):
    """A device failed. The message names the device, what happened, and what a technician does about it."""

    def __init__(self, source: SourceId, problem: str, *, remedy: str) -> None:
        super().__init__(f"{source}: {problem}. {remedy}")
        self.source = source
        self.problem = problem
        self.remedy = remedy


class Absent(DriverError):
    """The device is not there, or not what was configured: try again later."""


class Lost(DriverError):
    """The device was there and stopped answering: close it and open it again."""


class BadData(DriverError):
    """The device answered with something that cannot be right: read again."""
