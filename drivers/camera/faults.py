"""What a camera's errors mean to a technician. Pure."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass

from drivers.errors import Absent, DriverError, Lost
from drivers.types import SourceId

CABLE = "Check its cable and the hub's supply, then ls -l /dev/v4l/by-id"


@dataclass(frozen=True, slots=True)
class _Meaning:
    kind: type[DriverError]
    problem: str
    remedy: str


GONE = _Meaning(Absent, "no camera at {where}", CABLE)
FORBIDDEN = _Meaning(
    Absent,
    "no permission for {where}",
    "Add the user to the group `video`: sudo usermod -aG video USER, then log in anew",
)
NOT_A_CAMERA = _Meaning(Absent, "{where} does not capture pictures", "See what there is: ductwatch check")

AT_OPENING = {
    errno.ENOENT: GONE,
    errno.ENODEV: GONE,
    errno.ENXIO: GONE,
    errno.EACCES: FORBIDDEN,
    errno.EPERM: FORBIDDEN,
    errno.ENOTTY: NOT_A_CAMERA,
    errno.EINVAL: NOT_A_CAMERA,
    errno.EBUSY: _Meaning(
        Absent, "another program, or another camera of this configuration, has {where}", "Find it: fuser -v {where}"
    ),
}

WHILE_STREAMING = {
    errno.ENODEV: _Meaning(Lost, "unplugged", CABLE),
    errno.ENOSPC: _Meaning(
        Lost,
        "the USB bus has no room for another camera",
        "Use MJPG, a smaller size or a lower rate, or a port of another USB controller",
    ),
    errno.EBUSY: AT_OPENING[errno.EBUSY],
}


def at_opening(source: SourceId, where: str, error: OSError) -> DriverError:
    """`Absent` with its remedy, or `Lost` for what a camera answers that is there but ill."""
    return _fault(source, where, error, AT_OPENING)


def while_streaming(source: SourceId, where: str, error: OSError) -> DriverError:
    """`Lost`: it was there a moment ago."""
    return _fault(source, where, error, WHILE_STREAMING)


def hung(source: SourceId, limit_s: float) -> Lost:
    """A call did not come back from the kernel."""
    return Lost(
        source, f"hangs in the kernel, no answer within {limit_s:g} s", remedy="Unplug it and plug it in, or see dmesg"
    )


def _fault(source: SourceId, where: str, error: OSError, meanings: dict[int, _Meaning]) -> DriverError:
    number = error.errno or 0
    meaning = meanings.get(number) or _Meaning(Lost, f"{os.strerror(number)} ({where})", CABLE)
    return meaning.kind(source, meaning.problem.format(where=where), remedy=meaning.remedy.format(where=where))
