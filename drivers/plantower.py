"""What Plantower's particle sensors say and understand: bytes in, particles out, nothing opened.

Frames and commands: appendices I to III of the PMS5003 data manual V2.3; the same frame comes from a PMSA003I by I2C.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from drivers.types import Instant, Quality, Quantity, Reading, SourceId

START = b"\x42\x4d"
HEAD_BYTES = 4  # start and length
FRAME_BYTES = 32
LENGTHS = (FRAME_BYTES - HEAD_BYTES, 4)  # of what follows the head: particles, or the answer to a command

QUANTITIES = (
    Quantity.PM1,
    Quantity.PM2_5,
    Quantity.PM10,
    Quantity.COUNT_0_3,
    Quantity.COUNT_0_5,
    Quantity.COUNT_1_0,
    Quantity.COUNT_2_5,
    Quantity.COUNT_5_0,
    Quantity.COUNT_10,
)

WARM_UP_S = 30.0  # from power or wake-up to stable data, for the fan's sake: circuit attention 4
FRAME_INTERVAL_S = 2.3  # longest time between two frames, in the stable mode: output result


@dataclass(frozen=True, slots=True)
class Particles:
    """One frame: `values` in the order of `QUANTITIES`, masses in ug/m3, counts in particles per 0.1 l beyond a size.

    Masses are those "under atmospheric environment" (data 4 to 6). The others, CF=1 (data 1 to 3), are for calibration
    in the factory, says the manual, and show up to half as much again above 30 ug/m3. More than the effective range
    of 500 ug/m3 is less exact but no less dusty, so it is passed on.

    `error` is 0 if all is well: an error code in a PMSA003I, reserved in a PMS5003 (data 13, low byte).
    """

    values: tuple[int, ...]
    version: int
    error: int


def readings(source: SourceId, particles: Particles, at: Instant, quality: Quality) -> tuple[Reading, ...]:
    return tuple(
        Reading(source=source, quantity=quantity, value=float(value), at=at, quality=quality)
        for quantity, value in zip(QUANTITIES, particles.values, strict=True)
    )


def parse(frame: bytes) -> Particles | None:
    """The particles in a frame of `FRAME_BYTES`, or None if start, length or checksum is wrong."""
    if len(frame) != FRAME_BYTES or frame[:HEAD_BYTES] != START + LENGTHS[0].to_bytes(2, "big") or not _sums_up(frame):
        return None
    values = struct.unpack_from(">9H", frame, HEAD_BYTES + 3 * 2)
    return Particles(values, version=frame[28], error=frame[29])


class Decoder:
    """Finds frames in whatever comes along the wire: noise, halves of frames, two at once.

    A frame counts only with a good checksum; after a bad one the search goes on at its second byte, so that a good
    frame behind noise that looks like a start is not swallowed. Keeps at most `FRAME_BYTES` - 1 bytes between calls.
    """

    def __init__(self) -> None:
        self.frames = 0
        self.checksum_failures = 0
        self.noise_bytes = 0  # that belonged to no good frame
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Particles]:
        """Particles of the frames that became whole with `data`, oldest first. Never raises."""
        self._buffer += data
        return [particles for frame in self._frames() if (particles := parse(frame)) is not None]

    def forget(self) -> None:
        """What comes next does not follow what came last: the half frame that is awaited will not be completed."""
        self._drop(len(self._buffer))

    def _frames(self) -> Iterator[bytes]:
        while self._find_start() and len(self._buffer) >= HEAD_BYTES:
            length = int.from_bytes(self._buffer[2:HEAD_BYTES], "big")
            if length not in LENGTHS:
                self._drop(1)
                continue
            frame = bytes(self._buffer[: HEAD_BYTES + length])
            if len(frame) < HEAD_BYTES + length:
                return
            if _sums_up(frame):
                del self._buffer[: len(frame)]
                self.frames += 1
                yield frame
            else:
                self.checksum_failures += 1
                self._drop(1)

    def _find_start(self) -> bool:
        """Drop what is before the next start; without one, all but what may be the first byte of one."""
        start = self._buffer.find(START)
        if start < 0:
            self._drop(len(self._buffer) - self._buffer.endswith(START[:1]))
            return False
        self._drop(start)
        return True

    def _drop(self, count: int) -> None:
        self.noise_bytes += count
        del self._buffer[:count]


def command(code: int, value: int) -> bytes:
    """A command as it goes along the wire: start, code, value, sum of these."""
    head = START + struct.pack(">BH", code, value)
    return head + struct.pack(">H", sum(head))


READ = command(0xE2, 0)  # one frame, in passive mode
PASSIVE = command(0xE1, 0)
ACTIVE = command(0xE1, 1)  # a frame at least every `FRAME_INTERVAL_S`: how the sensor starts
SLEEP = command(0xE4, 0)  # fan and laser off
WAKE = command(0xE4, 1)


def _sums_up(frame: bytes) -> bool:
    return sum(frame[:-2]) & 0xFFFF == int.from_bytes(frame[-2:], "big")
