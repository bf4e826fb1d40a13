"""What goes wrong with model bundles, by what the caller does about it."""

from __future__ import annotations


class OtaError(Exception):
    """The message says what happened, and what a technician does about it."""

    def __init__(self, problem: str, *, remedy: str) -> None:
        super().__init__(f"{problem}. {remedy}")
        self.problem = problem
        self.remedy = remedy


class BadBundle(OtaError):
    """Not a bundle, or not the one that its manifest describes: never use any part of it."""


class Untrusted(OtaError):
    """What the repository says is not proved by its keys, is old, or contradicts what was proved: stay as one is.

    Trying again helps only once the publisher has done something.
    """


class Unreachable(OtaError):
    """The repository did not answer, or too slowly: try again later, and go on where it stopped."""


class NotThere(Unreachable):
    """The repository answered that it has no such file: what leads to the same by other files may be tried at once."""


class NoRoom(OtaError):
    """The disk takes no more: nothing was lost, and trying again helps once there is room."""


class Busy(OtaError):
    """Another update is under way on this board: try again when it is done."""
