"""A PMS5003 at the other end of a real pseudo terminal, in a thread of its own."""

from __future__ import annotations

import os
import queue
import select
import threading
from pathlib import Path

from drivers.plantower import ACTIVE, PASSIVE, SLEEP, WAKE
from hil.rig.plantower import CLEAN_AIR, frame

INTERVAL_S = 0.02  # a real one sends every 0.2 to 2.3 s
COMMAND_BYTES = len(WAKE)
COMMANDS = {SLEEP: "sleep", WAKE: "wake", ACTIVE: "active", PASSIVE: "passive"}


class Pms5003OnAPty:
    """Sends `sends` again and again while awake and active. What it is told is in `told`, in order."""

    def __init__(self) -> None:
        self._master, self._slave = os.openpty()
        self.path = Path(os.ttyname(self._slave))
        self.sends = frame(CLEAN_AIR)
        self.awake = True
        self.active = True
        self.obeys = True
        self.told: queue.Queue[str] = queue.Queue()
        self._turned = threading.Semaphore(0)
        self._heard = b""
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="emulated PMS5003", daemon=True)

    def __enter__(self) -> Pms5003OnAPty:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.unplug()

    def unplug(self) -> None:
        """End the thread and hang the line up; twice is fine."""
        if not self._ending.is_set():
            self._ending.set()
            self._thread.join()
            os.close(self._slave)
            os.close(self._master)

    def let_it_send(self, frames: int = 1) -> None:
        """Return when it has sent what it sends now that often, or, asleep, could have."""
        while self._turned.acquire(blocking=False):
            pass
        for _ in range(frames + 1):  # one turn may have begun with what was sent before
            assert self._turned.acquire(timeout=30)

    def _run(self) -> None:
        while not self._ending.is_set():
            readable, writable, _ = select.select([self._master], [self._master], [], INTERVAL_S)
            if readable:
                self._hear(os.read(self._master, 256))
            if writable and self.awake and self.active:
                os.write(self._master, self.sends)
            self._turned.release()
            self._ending.wait(INTERVAL_S)

    def _hear(self, data: bytes) -> None:
        self._heard += data
        while len(self._heard) >= COMMAND_BYTES:
            name = COMMANDS.get(self._heard[:COMMAND_BYTES])
            self._heard = self._heard[COMMAND_BYTES if name else 1 :]
            if name:
                if self.obeys:
                    self._obey(name)
                self.told.put(name)

    def _obey(self, name: str) -> None:
        self.awake = {"sleep": False, "wake": True}.get(name, self.awake)
        self.active = {"passive": False, "active": True}.get(name, self.active)
