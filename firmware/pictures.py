"""Keeps a picture where a verdict changes, and now and then where it does not."""

from __future__ import annotations

from collections.abc import Callable

from drivers.clock import Clock
from drivers.errors import Lost
from drivers.types import NS_PER_S, Instant, SourceId
from drivers.worker import Stuck, Worker
from firmware.album import Album
from firmware.observations import Observation
from firmware.photography import Shot
from firmware.streams import Mailbox
from firmware.supervisor import Pulse
from firmware.vitals import Vitals
from model.types import Label, Verdict

MAILBOX_SIZE = 8  # pictures of up to some 100 kB in memory; beyond it the oldest is dropped and counted
STILL_NS = 3600 * NS_PER_S  # a picture this often though nothing changes: how the duct looked last night
WRITE_LIMIT_S = 20.0
PICTURES = SourceId("pictures")
REMEDY = "Free space in the data directory, or lower snapshot.keep_pictures."


class Interest:
    """Which verdicts are worth a picture: the first of a camera, a change of label, and one an hour."""

    def __init__(self) -> None:
        self._last: dict[SourceId, tuple[Label, Instant]] = {}

    def roused_by(self, verdict: Verdict) -> bool:
        label, since = self._last.get(verdict.source, (None, Instant(0)))
        if label is verdict.label and verdict.at - since < STILL_NS:
            return False
        self._last[verdict.source] = (verdict.label, verdict.at)
        return True


async def keep_pictures(
    taken: Mailbox[tuple[Shot, Verdict]],
    album: Album,
    worker: Worker,
    *,
    clock: Clock,
    utc: Callable[[Instant], str],
    say: Callable[[Observation], None],
    vitals: Vitals,
    pulse: Pulse,
) -> None:
    """Write pictures until cancelled. A disk that is full or hangs is reported once; watching goes on without them."""
    while True:
        pulse.rest()
        shot, verdict = await taken.get()
        pulse.beat()
        try:
            with clock.held():
                kept = await worker.run(album.keep, shot.lit, verdict, utc(shot.lit.at), limit_s=WRITE_LIMIT_S)
        except OSError as error:
            vitals.failed(Lost(PICTURES, f"cannot be kept: {error.strerror}", remedy=REMEDY))
        except Stuck:
            vitals.failed(Lost(PICTURES, "the disk does not answer", remedy="Look at the kernel's log: dmesg."))
        else:
            say(kept)
            vitals.well(PICTURES)
