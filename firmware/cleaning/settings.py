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

    def __post_init__(self) -> None:
        for is_fine, problem in (
            (1 <= self.clean_snapshots <= 100, "clean_snapshots must be 1 to 100"),
            (
                self.clean_snapshots <= self.snapshots_at_most <= 1000,
                "snapshots_at_most must be at least clean_snapshots, and at most 1000",
            ),
            (0.1 <= self.pace <= 3600, "pace must be 100ms to 1h"),
            (60 <= self.longest <= 7 * 86400, "longest must be 1min to 7d: alarms are suppressed until then"),
            (1 <= self.keep_reports <= 10_000, "keep_reports must be 1 to 10000"),
            (
                MIB <= self.max_report_bytes <= 10 * 1024 * MIB,
                "max_report_bytes must be 1 MiB (1048576) to 10 GiB",
            ),
        ):
            if not is_fine:
                raise ValueError(problem)

    @property
    def bounds(self) -> Bounds:
        return Bounds(
            clean_needed=self.clean_snapshots,
            snapshots_at_most=self.snapshots_at_most,
            pace_ns=self.pace.ns,
            longest_ns=self.longest.ns,
        )
