"""A loop that says on stderr how far it has come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from model.training.data.progress import Progress

T = TypeVar("T")


def reported(items: Sequence[T], what: str) -> Iterator[T]:
    """The items one by one."""
    progress = Progress(what, len(items))
    try:
        for done, item in enumerate(items, start=1):
            yield item
            progress(done)
    finally:
        progress.end()
