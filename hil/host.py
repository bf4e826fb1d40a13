"""What this host does on every bench, virtual or physical: a broker and a web server for the board."""

from __future__ import annotations

from collections.abc import Coroutine
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hil.broker import Broker
from hil.desk import Desk
from hil.web import FileServer


class Host:
    """Both listen at `address`, the broker at `broker_port`, or at a free one; the board reaches them as `host`."""

    def __init__(self, folder: Path, address: str, *, host: str, broker_port: int | None = None) -> None:
        self.host = host
        self._desk = Desk()
        self._closing = ExitStack()  # whatever goes wrong in one step, the others are done
        self._closing.callback(self._desk.close)
        self.broker = self._desk.do(lambda: Broker(self._desk, folder, host=address, port=broker_port))
        self.messages = self.broker.messages
        self.files = FileServer(folder / "web", address)

    def __enter__(self) -> Self:
        with ExitStack() as undoing:
            undoing.push(self._closing)
            self._closing.callback(self.broker.kill)
            self._play(self.broker.listen())
            self.broker.start()
            self.files.start()
            self._closing.callback(self.files.stop)
            undoing.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._closing.close()

    def _play(self, forever: Coroutine[Any, Any, None]) -> None:
        """Until this bench is closed."""
        self._closing.callback(self._desk.spawn(forever))
