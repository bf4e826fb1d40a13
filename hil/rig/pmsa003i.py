"""A PMSA003I on an I2C bus: whoever reads it gets its present frame."""

from __future__ import annotations

from hil.rig.plantower import CLEAN_AIR, frame, spoilt

ADDRESS = 0x12


class Pmsa003iChip:
    """`values` as in `plantower.frame`. `disturbed_reads` is how many of the next reads have a bit turned over."""

    def __init__(self) -> None:
        self.values = CLEAN_AIR
        self.error = 0
        self.disturbed_reads = 0
        self.reads = 0

    def write(self, data: bytes) -> None:
        """It has one register, the frame: where to read from makes no difference."""

    def read(self, length: int) -> bytes:
        self.reads += 1
        sent = frame(self.values, error=self.error)
        if self.disturbed_reads > 0:
            self.disturbed_reads -= 1
            sent = spoilt(sent)
        return sent[:length]
