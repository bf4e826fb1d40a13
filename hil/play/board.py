"""The rig's board by labgrid, as the tests have it: its power, its network cable, its console."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from labgrid import Environment

from hil.bench import Bench
from hil.card import PRESET, flash, overlay, preset
from hil.strategy import State

ENVIRONMENT = Path(__file__).parents[1] / "env.yaml"
PROMPT = b"login:"  # comes last: to ask for ssh before only slows the start


class RigBoard:
    """`strategy` is labgrid's BoardStrategy."""

    def __init__(self, strategy: Any, bench: Bench) -> None:
        self._strategy, self._bench = strategy, bench
        self._powered, self._plugged = False, True

    def power(self, on: bool) -> None:
        self._strategy.transition(State.on if on else State.off)
        self._powered = on
        if on and not self._plugged:
            self._bench.machine.connect(False)  # every new QEMU has its cables in

    def cable(self, plugged: bool) -> None:
        self._plugged = plugged
        if self._powered:
            self._bench.machine.connect(plugged)

    @property
    def prompts(self) -> bool:
        """Whether the console asks for a login: the board has started."""
        return self._powered and PROMPT in self._strategy.power.console


@contextmanager
def rig_board(folder: Path, environment: dict[str, str], bench: Bench) -> Iterator[RigBoard]:
    """A board with a card that was just flashed; without power until told, and in the end. `folder` is QEMU's."""
    card = folder / "card.img"
    flash(Path(environment["LG_RIG_IMAGE"]), preset(PRESET, Path(environment["LG_RIG_KEY"]), bench.broker.port), card)
    overlay(card, folder / "disk.qcow2")
    os.environ.update(environment)  # where labgrid's templates are filled from
    labgrid = Environment(str(ENVIRONMENT))
    try:
        yield RigBoard(labgrid.get_target("main").get_driver("BoardStrategy"), bench)
    finally:
        labgrid.cleanup()
