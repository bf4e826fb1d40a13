"""Where a training has come to, on disk: being asked to stop costs nothing of it, and a kill the last minute."""

from __future__ import annotations

import os
import signal
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import numpy as np

from model.errors import NoPlace

BEGINS: Final = "fingerprint.npy"  # the first in the archive
EACH_S: Final = 60.0  # between two; each is 30 MB for two networks with their optimisers


class Stopped(Exception):
    """The training was asked to end by `signal_number`. What it has is kept after `steps` steps."""

    def __init__(self, steps: int, signal_number: int) -> None:
        super().__init__(f"stopped after step {steps}: ask again, and it goes on")
        self.signal_number = signal_number


class Checkpoint:
    """A file of variables. `fingerprint` says of which training: data, settings and seed; of another it is no use."""

    def __init__(self, path: Path, fingerprint: str, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._fingerprint = fingerprint
        self._now_s = now_s
        self._kept_s = now_s()
        self._asked_by = 0

    @contextmanager
    def ask_to_stop_on(self, *signals: signal.Signals) -> Iterator[None]:
        """In the block, each of `signals` ends the training after its present step; one more, at once."""
        before = {one: signal.signal(one, self._ask_to_stop) for one in signals}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)

    def restore(self, variables: Sequence[Any]) -> int:
        """Set them, and return how many steps had been done; 0 where there is no checkpoint of this training."""
        try:
            with self._path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
                if str(kept["fingerprint"]) != self._fingerprint or int(kept["count"]) != len(variables):
                    return 0
                values = [kept[f"v{place}"] for place in range(len(variables))]
                steps = int(kept["steps"])
        except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):  # none, or one that was cut short
            return 0
        if any(value.shape != tuple(variable.shape) for value, variable in zip(values, variables, strict=True)):
            return 0
        for value, variable in zip(values, variables, strict=True):
            variable.assign(value)
        return steps

    def keep_now_and_then(self, steps: int, variables: Sequence[Any]) -> None:
        """A disk that takes nothing is told of, and the training goes on without.

        Raises `Stopped` if the training was asked to end, `NoPlace` if what it has could then not be kept.
        """
        if not self._asked_by and self._now_s() - self._kept_s < EACH_S:
            return
        try:
            self.keep(steps, variables)
        except OSError as error:
            self._kept_s = self._now_s()
            said = f"{self._path}: {error.strerror}"
            if self._asked_by:
                raise NoPlace(f"{said}: what was learned is not kept", remedy="Make room, and ask again") from error
            print(f"\n{said}: what was learned is not kept; the training goes on", file=sys.stderr)
        if self._asked_by:
            raise Stopped(steps, self._asked_by)

    def keep(self, steps: int, variables: Sequence[Any]) -> None:
        """Write the file whole or not at all. Raises OSError."""
        values: dict[str, Any] = {f"v{place}": np.asarray(variable) for place, variable in enumerate(variables)}
        new = self._path.with_suffix(".new")
        try:
            with new.open("wb") as file:
                np.savez(file, fingerprint=self._fingerprint, count=len(variables), steps=steps, **values)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
        except OSError:
            with suppress(OSError):
                new.unlink()
            raise
        self._kept_s = self._now_s()

    def _ask_to_stop(self, number: int, _frame: object) -> None:
        if self._asked_by:
            raise KeyboardInterrupt
        self._asked_by = number
