"""`ductwatch ota jobs-server`: serves rollouts on a broker until it is stopped."""

from __future__ import annotations

import asyncio
import signal
from argparse import Namespace
from pathlib import Path
from typing import NoReturn

import msgspec

from firmware import document
from firmware.errors import ConfigError
from firmware.fleet.place import state_file
from firmware.fleet.server import serve
from firmware.fleet.store import StoreFailed
from firmware.uplink.settings import UplinkSettings


def main(arguments: Namespace) -> int:
    """Returns by SIGTERM only. Raises `ConfigError`."""
    settings = _settings(arguments.config, arguments.broker)
    try:
        asyncio.run(_until_stopped(settings, state_file(arguments.state)))
    except StoreFailed as error:
        raise ConfigError(str(error)) from error
    except asyncio.CancelledError:
        return 0


async def _until_stopped(settings: UplinkSettings, path: Path) -> NoReturn:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await serve(settings, path, tell=_tell)


def _settings(config: Path | None, broker: tuple[str, int | None] | None) -> UplinkSettings:
    if config is None and broker is None:
        raise ConfigError("no broker is named. Give --broker HOST[:PORT], or --config FILE with an [uplink] table")
    settings = UplinkSettings() if config is None else document.read(config).section("uplink", UplinkSettings)
    if broker is None:
        return settings
    host, port = broker
    return msgspec.structs.replace(settings, host=host, port=port)


def _tell(line: str) -> None:
    print(line, flush=True)
