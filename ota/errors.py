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
