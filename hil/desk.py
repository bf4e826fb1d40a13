"""Where the peers' event loop runs, for tests that are synchronous: a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any, TypeVar

START_LIMIT_S = 30.0
T = TypeVar("T")


class Desk:
    """An event loop in a thread. Everything of the peers is called there, through `do` and `wait`.

    Both raise what ended one of those that were spawned: nothing can be expected of a bench with a dead peer.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._spawned: list[Future[None]] = []
        self._thread = threading.Thread(target=self._loop.run_forever, name="rig", daemon=True)
        self._thread.start()

    def do(self, call: Callable[[], T]) -> T:
        async def called() -> T:
            return call()

        return self.wait(called(), START_LIMIT_S)

    def wait(self, awaited: Coroutine[Any, Any, T], limit_s: float) -> T:
        """Raises TimeoutError after `limit_s`."""
        asked = asyncio.run_coroutine_threadsafe(asyncio.wait_for(awaited, limit_s), self._loop)
        running: list[Future[Any]] = [asked, *self._spawned]
        wait(running, return_when=FIRST_COMPLETED)
        try:
            for future in self._spawned:
                if future.done():
                    future.result()
        except BaseException:
            asked.cancel()
            raise
        return asked.result()

    def spawn(self, forever: Coroutine[Any, Any, None]) -> Callable[[], None]:
        """Run until the returned function is called, which raises what went wrong meanwhile."""
        future = asyncio.run_coroutine_threadsafe(forever, self._loop)
        self._spawned.append(future)

        def end() -> None:
            self._spawned.remove(future)
            if future.done():
                future.result()
            future.cancel()

        return end

    def close(self) -> None:
        """Nothing runs on afterwards."""
        asyncio.run_coroutine_threadsafe(_cancel_others(), self._loop).result(START_LIMIT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_LIMIT_S)
        self._loop.close()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
