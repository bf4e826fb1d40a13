"""The rig's board for labgrid: QEMU whose power can be cut, and whose console is always read."""

from __future__ import annotations

import threading
import time
from typing import Any

import attr
from labgrid import target_factory
from labgrid.driver import QEMUDriver
from pexpect import TIMEOUT

READ_LIMIT_S = 0.2
MOST_CONSOLE_BYTES = 1024 * 1024


@target_factory.reg_driver
@attr.s(eq=False)
class RigMachineDriver(QEMUDriver):  # type: ignore[misc]
    """As QEMUDriver. A thread reads the console, or the guest would stall when the socket is full."""

    status: int
    _cmd: list[str]
    _child: Any

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.console = bytearray()
        self.clock = ""  # what the board's clock says at the next start, such as 2001-02-03T04:05:06; else the truth
        self._reading: threading.Thread | None = None

    def on(self) -> None:
        if self.status:
            return
        whole = self._cmd
        self._cmd = [*whole, "-rtc", f"base={self.clock}"] if self.clock else whole
        try:
            super().on()
        finally:
            self._cmd = whole
        self.console.clear()
        self._reading = threading.Thread(target=self._read_console, name="console", daemon=True)
        self._reading.start()

    def off(self) -> None:
        """Cut the power: SIGKILL. What the guest did not flush to its disk is lost."""
        if not self.status:
            return
        self.status = 0
        self._child.kill()
        self._child.communicate()
        self._child = None
        if self._reading is not None:
            self._reading.join()
        self._clientsocket.close()

    def _read_console(self) -> None:
        while self.status:
            try:
                data = self._read(timeout=READ_LIMIT_S)
            except TIMEOUT:
                continue
            except OSError:
                return
            if not data:
                return
            self.console += data
            del self.console[:-MOST_CONSOLE_BYTES]

    def until_console(self, said: bytes, limit_s: float) -> None:
        """Wait until the console has shown this since the power came. Raises TimeoutError."""
        until_s = time.monotonic() + limit_s
        while said not in self.console:
            if time.monotonic() > until_s:
                raise TimeoutError(f"{said!r} was not on the console within {limit_s:g} s")
            time.sleep(READ_LIMIT_S)
