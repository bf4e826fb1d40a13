"""What time it is at the earliest, on a board whose clock may have stopped or been set."""

from __future__ import annotations

from datetime import datetime, timedelta

from ota.errors import Untrusted

STEP = timedelta(hours=1)  # the floor is written when it rises by this much: a poll each minute must not wear the flash


def effective_now(wall: datetime, *, built: datetime, trusted: datetime) -> datetime:
    """The latest of the board's clock, the firmware's build, and the last time at which metadata was fresh.

    So a clock set back makes nothing fresh again. The floor cannot run away with a clock set forward: it rises only
    with a visit at which all was fresh, hence never beyond the expiry of a timestamp (2 days, at most 14).
    """
    return max(wall, built, trusted)


def raised(trusted: datetime, now: datetime) -> datetime:
    return now if now - trusted >= STEP else trusted


def expired(what: str, *, now: datetime, wall: datetime) -> Untrusted:
    """`what` says which role, and when."""
    clock = f"this board's clock says {wall:%Y-%m-%d %H:%M} UTC"
    if now > wall:
        clock += f", and it cannot be before {now:%Y-%m-%d %H:%M}"
    return Untrusted(
        f"{what}: {clock}",
        remedy="Check the clock by `date`, and set it if it is wrong; if it is right, the repository is a stale copy, "
        "or its publisher has to sign again",
    )
