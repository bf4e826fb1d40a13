"""What stops a publisher, by what is done about it. Both leave the repository as it was."""

from __future__ import annotations

from ota.errors import OtaError


class Refused(OtaError):
    """It cannot be done so: the remedy says how."""


class Unsigned(OtaError):
    """All is right with it, but it waits for keyholders."""
