"""Child processes for tests that kill one: they run code of ours, and say on stdout how far they are."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO


@contextmanager
def running(command: Sequence[str]) -> Iterator[IO[str]]:
    """A child's stdout, line by line. At the end of the block it is killed (SIGKILL), if it has not ended by itself."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            yield child.stdout
        finally:
            child.kill()


@contextmanager
def running_unheard(command: Sequence[str]) -> Iterator[None]:
    """The same, for a child whose words nobody reads."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as child:
        try:
            yield
        finally:
            child.kill()


def run_and_kill(command: Sequence[str], *, until: str) -> None:
    """Kill a child as soon as it has said `until` on a line of its own."""
    with running(command) as lines:
        assert until in (line.strip() for line in lines), "the child ended before it said so"
