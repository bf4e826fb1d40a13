"""`ductwatch hil play`: starts the rig, serves its page, and leaves nothing behind."""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from hil.__main__ import rig_environment
from hil.bench import Bench
from hil.image.shell import Failed
from hil.play.board import rig_board
from hil.play.controls import Rig, offered
from hil.play.journal import Journal, ssh
from hil.play.playground import Phase, Playground
from hil.play.server import serving
from hil.rig.pictures import CLEAN, SCENES, photos
from hil.rig.uvc import VGA

EX_FAILED, EX_USAGE = 1, 2
PROGRAMS = ("qemu-system-x86_64", "qemu-img", "ssh", "ssh-keygen", "mcopy", "mosquitto")
PATH = os.environ.get("PATH", os.defpath) + ":/usr/sbin"  # where Debian has Mosquitto
SSH_PORT = 2222  # hil/env.yaml


def main(arguments: argparse.Namespace) -> int:
    """`arguments.port` is the page's; `arguments.photos` a folder of what the cameras can look at, too, or None."""
    missing = [program for program in PROGRAMS if not shutil.which(program, path=PATH)]
    if missing:
        _say(f"The rig needs {', '.join(missing)}. `make play` installs what is missing.")
        return EX_USAGE
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # aiomqtt leaves behind how a killed broker's line ended
    signal.signal(signal.SIGTERM, _interrupt)  # so that the board and the broker go, as with Ctrl-C
    try:
        shown = {} if arguments.photos is None else photos(arguments.photos, [VGA])
        with offered(shown), tempfile.TemporaryDirectory(prefix="ductwatch-play-") as folder:
            _say("Building the board image, unless the one from before will do")
            play(Path(folder), rig_environment(Path(folder)), arguments.port)
    except KeyboardInterrupt:
        _say("Stopped: board, broker and page are gone.")
    except (Failed, OSError) as error:
        _say(f"{error}")
        return EX_FAILED
    return 0


def play(folder: Path, environment: dict[str, str], port: int) -> None:
    """Until interrupted. `environment` fills in hil/env.yaml."""
    _say("Drawing a clean duct, and starting a broker")
    CLEAN.draw([VGA])
    with Bench(folder) as bench, rig_board(folder, environment, bench) as board:
        command = ssh(environment["LG_RIG_ADDRESS"], SSH_PORT, Path(environment["LG_RIG_KEY"]))
        with Journal(command, lambda: board.prompts) as journal:
            playground = Playground(Rig(bench, board), journal)
            with serving(playground, port) as address:
                _say(f"The page is at {address}    Ctrl-C stops everything.")
                playground.set("power", True)
                for phase, after_s in phases(playground):
                    _say(f"{after_s:4.0f} s  the board is {phase.value}")
                    if phase is Phase.WATCHING:
                        threading.Thread(target=_draw_all, name="drawing", daemon=True).start()


def phases(playground: Playground) -> Iterator[tuple[Phase, float]]:
    """Follow the board for ever; each change, with the seconds since the power came or went."""
    before = None
    while True:
        playground.follow()
        if playground.phase is not before:
            before = playground.phase
            yield before, playground.phase_s


def _draw_all() -> None:
    """So that no camera has to wait when it is turned to another scene."""
    for scene in SCENES.values():
        scene.draw([VGA])


def _say(text: str) -> None:
    print(text, flush=True)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
