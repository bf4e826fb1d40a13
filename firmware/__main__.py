"""`ductwatch`: carries out what the command line asks for. The last line of defence against tracebacks."""

from __future__ import annotations

import errno
import importlib
import io
import os
import sys

from firmware.cli import parser
from firmware.errors import ConfigError

STDOUT = 1
EX_WRONG, EX_USAGE, EX_SOFTWARE, EX_INTERRUPTED = 1, 2, 70, 130

COMMANDS = {
    "run": "firmware.run",
    "check": "firmware.check",
    "detect": "firmware.detect",
    "alarms": "firmware.alarms_command",
    "cleaning": "firmware.cleaning_command",
    "rules": "firmware.rules_command",
    "preset": "firmware.preset",
    "model": "firmware.model_tools",
    "ota": "firmware.ota_command",
    "hil": "firmware.hil",
}
"""Modules with a `main(arguments) -> int`, imported only when asked for: a first verdict should not wait for MQTT."""


def main() -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as stderr: file names may hold bytes that are no text
    arguments = parser().parse_args()
    try:
        status = importlib.import_module(COMMANDS[arguments.command]).main(arguments)
        print(end="", flush=True)  # here, where what comes of it can be told
        sys.exit(status)
    except ConfigError as error:
        print(f"ductwatch: {error}", file=sys.stderr)
        sys.exit(EX_USAGE)
    except KeyboardInterrupt:
        sys.exit(EX_INTERRUPTED)
    except BrokenPipeError:
        _say_no_more()
        sys.exit(EX_WRONG)
    except Exception as error:  # noqa: BLE001  # the one place that may: a clear last line instead of a traceback
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            print("ductwatch: no space left on the device that it writes to: make some, and ask again", file=sys.stderr)
            _say_no_more()
            sys.exit(EX_WRONG)
        print(f"ductwatch: {_last_line(error)}", file=sys.stderr)
        sys.exit(EX_SOFTWARE)


def _say_no_more() -> None:
    """Else Python tries once more to write what is left, and complains."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), STDOUT)


def _last_line(error: BaseException) -> str:
    """Who failed and how, through any group of errors."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = f" at {frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}" if frame is not None else ""
    return f"ended by a fault of its own: {type(error).__name__}: {error}{place}. Please report this line."


if __name__ == "__main__":
    main()
