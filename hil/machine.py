"""The rig's board for labgrid: QEMU whose power can be cut, and whose console is always read."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import attr
from labgrid import target_factory
from labgrid.driver import QEMUDriver
from labgrid.util.qmp import QMPError
from pexpect import TIMEOUT

START_LIMIT_S = 30.0  # for QEMU to open the console: below 1 s on an idle host
READ_LIMIT_S = 0.2
MOST_CONSOLE_BYTES = 1024 * 1024


@target_factory.reg_driver
@attr.s(eq=False)
class RigMachineDriver(QEMUDriver):  # type: ignore[misc]
    """As QEMUDriver. A thread reads the console, or the guest would stall when the socket is full."""

    status: int
    _cmd: list[str]
    _child: Any
    _socket: Any
    _tempdir: str

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.console = bytearray()
        self.clock = ""  # what the board's clock says at the next start, such as 2001-02-03T04:05:06; else the truth
        self._reading: threading.Thread | None = None

    def on(self) -> None:
        """Raises ChildProcessError with what QEMU says if it does not start."""
        if self.status:
            return
        whole, said = self._cmd, Path(self._tempdir, "stderr")
        clock = ["-rtc", f"base={self.clock}"] if self.clock else []
        self._cmd = ["sh", "-c", 'exec "$@" 2>"$0"', str(said), *whole, *clock]
        self._socket.settimeout(START_LIMIT_S)
        try:
            super().on()
        except (OSError, QMPError) as error:
            status = self._end()
            reason = f"{said.read_text(errors='replace').strip()} (exit status {status})"
            raise ChildProcessError(f"QEMU did not start: {reason}") from error
        finally:
            self._cmd = whole
        self.console.clear()
        self._reading = threading.Thread(target=self._read_console, name="console", daemon=True)
        self._reading.start()

    def off(self) -> None:
        """Cut the power: SIGKILL. What the guest did not flush to its disk is lost."""
        if not self.status:
            return
        self._end()
        if self._reading is not None:
            self._reading.join()
        self._clientsocket.close()

    def _end(self) -> int:
        """The exit status, which is negative for a QEMU that had to be killed."""
        self.status = 0
        child, self._child = self._child, None
        child.kill()
        child.communicate()
        return int(child.returncode)

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
