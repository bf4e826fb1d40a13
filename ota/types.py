"""What a channel offers, as its signed metadata says it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A file that the channel's role vouches for. `path` is its TUF target path, as `stable/visual-clean.tar`."""

    path: str
    length: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A bundle that a channel offers. `counter` only grows, also where the bytes of an older release are wanted back.

    `hardware` are the board classes it is for; `any` stands for all. `deltas` are ways to it from what a board has.
    """

    target: Target
    model: str
    version: str
    counter: int
    hardware: tuple[str, ...]
    deltas: tuple[Delta, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """A way from the bundle with the hash `base` (SHA-256 of its tar) to a release's."""

    target: Target
    base: str
