"""What this host does on every bench, virtual or physical: a broker and a web server for the board."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from hil.broker import Broker
from hil.desk import Desk
from hil.web import FileServer


class Host:
    """Both listen at `address`, the broker at `broker_port`, or at a free one; the board reaches them as `host`."""

    def __init__(self, folder: Path, address: str, *, host: str, broker_port: int | None = None) -> None:
        self.host = host
        self._desk = Desk()
        self.broker = self._desk.do(lambda: Broker(self._desk, folder, host=address, port=broker_port))
        self.messages = self.broker.messages
        self.files = FileServer(folder / "web", address)
        self._ends: list[Callable[[], None]] = []

    def __enter__(self) -> Self:
        self._ends.append(self._desk.spawn(self.broker.listen()))
        self.broker.start()
        self.files.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.files.stop()
        for end in self._ends:
            end()
        self.broker.kill()
        self._desk.close()
