"""Which model a board begins with: the one that its slots say, and if that cannot be loaded, what was before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from firmware import logs
from firmware.errors import ConfigError
from model.shipped import shipped_bundle
from ota.errors import NoRoom, OtaError

if TYPE_CHECKING:
    from ota.updater import Updater  # with TUF, which judging a file can do without

T = TypeVar("T")


def loaded_at_start(updater: Updater, load: Callable[[Path], T], *, counts: bool) -> tuple[T, Path]:
    """What `load`, which raises `ConfigError`, makes of the bundle that is to run; and that bundle.

    `counts`: the process has just started, so that this is one more start of a model that waits for a verdict. Else it
    is a reload, of a loop that others wait for: it only looks, and waits for no lock. A disk that does not say what is
    in the slots is no reason not to watch: then the model in the firmware runs.
    """
    for bundle in _bundles(updater, counts=counts):
        try:
            return load(bundle), bundle
        except ConfigError as error:
            logs.fail("the model cannot be used: the one before it is loaded", bundle=str(bundle), why=str(error))
            _give_up(updater, str(error))
    return load(shipped_bundle()), shipped_bundle()


def _bundles(updater: Updater, *, counts: bool) -> Iterator[Path]:
    """What runs by the slots, asked anew each time, until that is the model in the firmware."""
    try:
        running = _counted(updater) if counts else updater.seen_slots().running
        while running is not None:
            yield running
            before, running = running, updater.seen_slots().running
            if running == before:  # nothing came of giving it up
                return
    except OtaError as error:
        logs.fail("the slots of models cannot be read: the model in the firmware runs", why=str(error))


def _counted(updater: Updater) -> Path | None:
    """What runs, once the start was counted. Where it cannot be: none on probation, which might end it for ever."""
    with updater.slots() as slots:
        try:
            slots.started()
        except NoRoom as error:
            logs.fail("the start of a model that waits for its verdict cannot be counted", why=str(error))
            return slots.running_before_a_verdict
        return slots.running


def _give_up(updater: Updater, why: str) -> None:
    try:
        with updater.slots() as slots:
            slots.unusable(why)
    except OtaError as error:
        logs.fail("the model cannot be taken out of its slot", why=str(error))
