"""Where a training has come to, on disk: a kill costs the last minute of it, no more."""

from __future__ import annotations

import os
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

EACH_S: Final = 60.0  # between two; each is 60 MB for EfficientNet-Lite0 with its optimiser


class Checkpoint:
    """A file of variables. `fingerprint` says of which training: data, settings and seed; of another it is no use."""

    def __init__(self, path: Path, fingerprint: str, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._fingerprint = fingerprint
        self._now_s = now_s
        self._kept_s = now_s()

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
        if self._now_s() - self._kept_s >= EACH_S:
            self.keep(steps, variables)

    def keep(self, steps: int, variables: Sequence[Any]) -> None:
        """Write the file whole or not at all."""
        values: dict[str, Any] = {f"v{place}": np.asarray(variable) for place, variable in enumerate(variables)}
        new = self._path.with_suffix(".new")
        with new.open("wb") as file:
            np.savez(file, fingerprint=self._fingerprint, count=len(variables), steps=steps, **values)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
        self._kept_s = self._now_s()
