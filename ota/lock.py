"""One thread of one process at a time touches the folder of the updates: the firmware's, or a technician's command's.

There are two locks. Whoever has the one of the slots is soon done with it, and waits for nothing but the disk: what
starts a firmware may wait for it. A visit to a repository lasts, and has a lock of its own.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ota.errors import Busy

SLOTS: Final = "lock"  # never removed: two processes could each lock a file of that name
VISIT: Final = "lock.visit"  # for what is believed of a repository, and for downloads
WAIT_S: Final = 10.0  # a change of the slots is over by then, on a worn memory card too
AGAIN_S: Final = 0.05


@contextmanager
def locked(folder: Path, name: str = SLOTS, *, wait_s: float = WAIT_S) -> Iterator[None]:
    """Alone in `folder`, which is made, with what that lock is for. Raises Busy, OSError.

    The kernel lets go for a process that died, however it did.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # only to be read: root may have made it, and the firmware is not root
    handle = os.open(folder / name, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _lock(handle, folder, until=time.monotonic() + wait_s)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, folder: Path, *, until: float) -> None:
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= until:
                raise Busy(f"{folder}: another update is under way", remedy="Try again when it is done") from error
            time.sleep(AGAIN_S)
