"""A jobs server in a process of its own, impatient, that may be killed: PORT FILE [SECONDS of a tick]."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from drivers.settings import Duration
from firmware.fleet.server import serve
from firmware.uplink.settings import UplinkSettings


def main(port: str, path: str, tick_s: str = "0.05") -> None:
    settings = UplinkSettings(host="127.0.0.1", port=int(port), first_retry=Duration(0.05), longest_retry=Duration(0.2))

    def tell(line: str) -> None:
        print(line, flush=True)

    asyncio.run(serve(settings, Path(path), tell=tell, tick_s=float(tick_s)))


if __name__ == "__main__":
    main(*sys.argv[1:])
