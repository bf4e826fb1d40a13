"""What stops a publisher, by what is done about it. All but `Unfinished` leave the repository as it was."""

from __future__ import annotations

from ota.errors import OtaError


class Refused(OtaError):
    """It cannot be done so: the remedy says how."""


class Unsigned(OtaError):
    """All is right with it, but it waits for keyholders."""


class AlreadySo(OtaError):
    """It is as the command wants it: there is nothing to do."""


class Unfinished(OtaError):
    """The change is decided, and not all of it is there yet: the next command finishes it."""
