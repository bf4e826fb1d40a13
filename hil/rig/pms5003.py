"""A PMS5003 on a serial line of QEMU's: sends its frames, obeys commands, and fails on request."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from enum import Enum
from pathlib import Path

from drivers.plantower import ACTIVE, PASSIVE, READ, SLEEP, WAKE
from hil.rig.plantower import CLEAN_AIR, answer, frame, spoilt
from hil.rig.sockets import connected

INTERVALS_S = (0.2, 2.3)  # between two frames: "output result"; 2.3 s in steady air
COMMAND_BYTES = len(WAKE)
CODE, VALUE = 2, 4  # where a command has them
LINE_BYTES_PER_S = 960  # 9600 baud, 8N1
FLOOD_S = 0.05
MOST_WAITING_BYTES = 4096  # not taken by the guest yet; a line without handshake loses what comes beyond
MOST_RECORDS = 1000

COMMANDS = {SLEEP: "sleep", WAKE: "wake", ACTIVE: "active", PASSIVE: "passive", READ: "read"}


class DustFault(Enum):
    NONE = "none"
    SILENT = "sends nothing"
    NOISE = "sends bytes, but no frames"
    CORRUPT = "every frame has a bit turned over"
    TRUNCATED = "every frame stops early"
    FLOOD = "bytes without end, as fast as the line carries them"


class DustPeer:
    """The sensor, by the unix socket of its chardev.

    `values`, as in `plantower.frame`, and `fault` may be set at any time; `told` is what it was told, in order.
    It gets its power from the board: when QEMU ends it starts anew, awake and active.
    """

    def __init__(self, path: Path, *, interval_s: float = 0.8, seed: int = 1) -> None:
        if not INTERVALS_S[0] <= interval_s <= INTERVALS_S[1]:
            raise ValueError(f"a PMS5003 sends every {INTERVALS_S[0]} to {INTERVALS_S[1]} s, not every {interval_s} s")
        self.values = CLEAN_AIR
        self.fault = DustFault.NONE
        self.awake = True
        self.active = True
        self.told: deque[str] = deque(maxlen=MOST_RECORDS)
        self.bytes_lost = 0
        self._path = path
        self._interval_s = interval_s
        self._noise = random.Random(seed)
        self._heard = b""

    async def run(self) -> None:
        """Be this sensor until cancelled."""
        while True:
            async with connected(self._path) as (reader, writer):
                await self._serve(reader, writer)
            self._power_up()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def send(data: bytes) -> None:
            if self.fault is DustFault.SILENT:
                return
            if writer.transport.get_write_buffer_size() > MOST_WAITING_BYTES:
                self.bytes_lost += len(data)
            else:
                writer.write(data)

        async with asyncio.TaskGroup() as group:
            sending = group.create_task(self._send_regularly(send))
            try:
                while data := await reader.read(COMMAND_BYTES):
                    self._hear(data, send)
            except ConnectionError:
                pass  # killed in the middle of it: as good as an end
            sending.cancel()

    async def _send_regularly(self, send: Callable[[bytes], None]) -> None:
        while True:
            flooding = self.fault is DustFault.FLOOD
            await asyncio.sleep(FLOOD_S if flooding else self._interval_s)
            if flooding:
                send(self._noise.randbytes(round(LINE_BYTES_PER_S * FLOOD_S)))
            elif self.awake and self.active:
                self._send_frame(send)

    def _send_frame(self, send: Callable[[bytes], None]) -> None:
        sent = frame(self.values)
        match self.fault:
            case DustFault.NOISE:
                send(self._noise.randbytes(len(sent)))
            case DustFault.CORRUPT:
                send(spoilt(sent))
            case DustFault.TRUNCATED:
                send(sent[: len(sent) * 2 // 3])
            case _:
                send(sent)

    def _hear(self, data: bytes, send: Callable[[bytes], None]) -> None:
        self._heard += data
        while len(self._heard) >= COMMAND_BYTES:
            command = self._heard[:COMMAND_BYTES]
            name = COMMANDS.get(command)
            self._heard = self._heard[COMMAND_BYTES if name else 1 :]
            if name:
                self.told.append(name)
                self._obey(name, command, send)

    def _obey(self, name: str, command: bytes, send: Callable[[bytes], None]) -> None:
        """Asleep it understands only to wake up, and does so in active mode."""
        if name == "wake":
            self.awake = self.active = True
        elif not self.awake:
            return
        elif name == "read":
            self._send_frame(send)
        else:
            self.awake = name != "sleep"
            self.active = self.active if name == "sleep" else name == "active"
            send(answer(command[CODE], command[VALUE]))

    def _power_up(self) -> None:
        self.awake = self.active = True
        self._heard = b""
