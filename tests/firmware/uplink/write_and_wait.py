"""A child process: writes a hundred rows to the file that it is told, says so, and waits to be killed."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from firmware.uplink.spool import Spool
from tests.firmware.uplink.builders import BOOT, row

if __name__ == "__main__":
    spool = Spool(Path(sys.argv[1]), BOOT, max_rows=1000, max_bytes=1_000_000)
    spool.write([row(seq) for seq in range(1, 101)], [], durable=False)
    print("written", flush=True)
    signal.pause()
