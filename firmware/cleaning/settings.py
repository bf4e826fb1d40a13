"""`[cleaning]`: what a cleaning must show, and how long it may take."""

from __future__ import annotations

import msgspec

from drivers.settings import Duration
from firmware.cleaning.course import Bounds

MIB = 1024 * 1024


class CleaningSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`button`: a press of three seconds or more starts a cleaning, the next one finishes it."""

    clean_snapshots: int = 3
    snapshots_at_most: int = 20  # a camera that was moved is not judged for 5 of them ([snapshot] moved_at_most)
    pace: Duration = Duration(10.0)
    longest: Duration = Duration(12 * 3600.0)
    button: bool = False
    keep_reports: int = 50
    max_report_bytes: int = 64 * MIB

    @property
    def bounds(self) -> Bounds:
        return Bounds(
            clean_needed=self.clean_snapshots,
            snapshots_at_most=self.snapshots_at_most,
            pace_ns=self.pace.ns,
            longest_ns=self.longest.ns,
        )
