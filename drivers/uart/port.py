"""A serial port. The one door of pyserial."""

from __future__ import annotations

import contextlib
import errno
import termios
from pathlib import Path

from drivers.faults import Fault

READ_S = 0.25  # longest time that one read waits for bytes: closing the port waits for it
WRITE_S = 0.25  # a command of 7 bytes takes 7 ms at 9600 baud
MAX_READ_BYTES = 4096  # the kernel hands out one byte less at once (N_TTY_BUF_SIZE), and keeps 640 kB behind that


class Port:
    """A port that is ours alone, 8N1 without flow control. Open from construction to `close`; its methods block.

    They raise `Fault` once the port has gone.
    """

    def __init__(self, path: Path, baud: int) -> None:
        import serial  # its import would cost every board, also those without a port

        self._path = path
        try:
            self._serial = serial.Serial(
                str(path), baud, timeout=READ_S, write_timeout=WRITE_S, exclusive=True
            )  # 8N1 is what it starts with
        except (OSError, termios.error) as error:  # SerialException is an OSError
            raise self._fault(error) from error

    def close(self) -> None:
        with contextlib.suppress(OSError):  # unplugged meanwhile
            self._serial.close()

    def write(self, data: bytes) -> None:
        try:
            self._serial.write(data)
        except OSError as error:
            raise self._fault(error) from error

    def read(self, expected: int) -> bytes:
        """What has come so far, or up to `expected` bytes as soon as they come; nothing after `READ_S` of silence."""
        try:
            return bytes(self._serial.read(min(MAX_READ_BYTES, max(expected, self._serial.in_waiting))))
        except OSError as error:
            raise self._fault(error) from error

    def flush(self) -> None:
        """Throw away what has come so far, also what the kernel has not handed on yet (TCIFLUSH)."""
        try:
            self._serial.reset_input_buffer()
        except (OSError, termios.error) as error:
            raise self._fault(error) from error

    def _fault(self, error: OSError | termios.error) -> Fault:
        problem, remedy = FAULTS.get((error.errno or 0) if isinstance(error, OSError) else error.args[0], OTHER)
        return Fault(problem.format(port=self._path, error=error), remedy.format(port=self._path))


OTHER = ("{port} failed: {error}", "Check that it is a serial port, and its cable or USB adapter.")
FAULTS: dict[int, tuple[str, str]] = {
    errno.ENOENT: (
        "there is no {port}",
        "Switch the serial port on in the board's settings, and set port to one of /dev/tty[AS]*, /dev/serial/by-id/*.",
    ),
    errno.EACCES: ("{port} may not be opened", "Add the firmware's user to the group that owns {port}."),
    errno.EPERM: ("{port} may not be opened", "Allow {port} in the service's DeviceAllow."),
    errno.EAGAIN: (
        "{port} is in use",
        "Stop the other program (fuser -v {port}); take the console off it in the board's settings.",
    ),
}
