"""One thread for one thing that blocks: a bus, a camera, a database, the interpreter."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

QUEUE_SIZE = 64  # calls waiting for one worker; its owner awaits each, so more means a fault in our own code


class Stuck(Exception):
    """The call did not return within its limit. It still occupies the worker until it does."""


class Worker:
    """Runs blocking calls, one after another, in a daemon thread of its own.

    A thread cannot be cancelled: when a call overruns its limit the caller gets `Stuck`, and so does every further
    caller, at once, until the call returns. A thread that hangs in the kernel thus costs one thread and no more,
    and does not hold up the end of the process, as a thread of `ThreadPoolExecutor` would.

    A call whose caller was cancelled is still made: it may be the one that switches something off.

    `on_start` and `on_end` run in the thread before the first call and after the last, and must not raise.
    """

    def __init__(
        self,
        name: str,
        *,
        on_start: Callable[[], None] | None = None,
        on_end: Callable[[], None] | None = None,
    ) -> None:
        self._calls: queue.Queue[_Call | None] = queue.Queue(QUEUE_SIZE)
        self._overdue: _Call | None = None
        self._on_start = on_start
        self._on_end = on_end
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    @property
    def stuck(self) -> bool:
        return self._overdue is not None and not self._overdue.finished

    async def run(self, function: Callable[..., T], *arguments: Any, limit_s: float) -> T:
        """Return what `function(*arguments)` returned, or raise what it raised, or `Stuck` after `limit_s` seconds.

        The limit counts from now, so it includes the calls before this one. A StopIteration becomes a RuntimeError,
        as in a generator (PEP 479), because a future cannot carry it. With `QUEUE_SIZE` calls waiting: `queue.Full`.
        """
        if self.stuck:
            raise Stuck
        loop = asyncio.get_running_loop()
        call = _Call(function, arguments, loop, loop.create_future())
        self._calls.put_nowait(call)
        done, _ = await asyncio.wait([call.result], timeout=limit_s)
        if not done:
            call.abandoned = True
            self._overdue = call
            raise Stuck
        result: T = call.result.result()
        return result

    def close(self) -> None:
        """Let the thread end after the calls it has; does not wait for it."""
        self._calls.put_nowait(None)

    def _work(self) -> None:
        if self._on_start is not None:
            self._on_start()
        while (call := self._calls.get()) is not None:
            call.perform()
        if self._on_end is not None:
            self._on_end()


class _Call:
    def __init__(
        self,
        function: Callable[..., Any],
        arguments: tuple[Any, ...],
        loop: asyncio.AbstractEventLoop,
        result: asyncio.Future[Any],
    ) -> None:
        self.result = result
        self.abandoned = False
        self.finished = False
        self._function = function
        self._arguments = arguments
        self._loop = loop

    def perform(self) -> None:
        value: Any = None
        error: BaseException | None = None
        try:
            if not self.abandoned:
                value = self._function(*self._arguments)
        except StopIteration as raised:
            error = RuntimeError("the call raised StopIteration")
            error.__cause__ = raised
        except BaseException as raised:  # noqa: BLE001  # carried to the caller, whatever it is
            error = raised
        self.finished = True
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile: nobody is waiting any more
            self._loop.call_soon_threadsafe(self._settle, value, error)

    def _settle(self, value: Any, error: BaseException | None) -> None:
        if error is None:
            self.result.set_result(value)
        else:
            self.result.set_exception(error)
            self.result.exception()  # taken note of: the caller may be gone, and asyncio would log it as lost
