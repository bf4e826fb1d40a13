"""Virtual time for every async test that is not marked `real`: timers cost nothing, a deadlock fails at once."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable

import pytest
from hypothesis import settings

settings.register_profile("ductwatch", deadline=None)  # no test is timed: machines here are noisy
settings.load_profile("ductwatch")


class Deadlock(Exception):
    """Nothing is due and nothing is ready: the test would wait for ever."""


class _JumpingSelector(selectors.DefaultSelector):
    """Never waits: moves the loop's time to the next timer instead."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Deadlock
        self.now_s += max(0.0, timeout)
        return super().select(0)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now_s


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    if item.get_closest_marker("real"):
        return {"real": asyncio.new_event_loop}
    return {"virtual": VirtualTimeLoop}
