"""What goes wrong below a device, in a bus, a port or a line, before it is known what the caller does about it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from drivers.errors import DriverError
from drivers.types import SourceId


class Fault(Exception):
    """A blocking operation failed. `remedy` tells the technician what to do.

    No OSError on purpose: libraries between a bus and a device swallow those.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}. {remedy}")
        self.problem = problem
        self.remedy = remedy


@contextlib.contextmanager
def reported_as(kind: type[DriverError], source: SourceId) -> Iterator[None]:
    """Turn a `Fault` inside into the driver error that tells the caller of this place what to do."""
    try:
        yield
    except Fault as fault:
        raise kind(source, fault.problem, remedy=fault.remedy) from fault
