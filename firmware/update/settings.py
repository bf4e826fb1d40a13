"""`[update]`: where new models come from, when, and what one must show before it counts."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from drivers.settings import Duration
from firmware.update.schedule import Window, window
from firmware.uplink.wire import check_prefix
from ota.job_messages import THING, JobTopics

MIB = 1024 * 1024
AWS = "$aws/things"  # AWS IoT Core developer guide, "Jobs device MQTT API operations"
WEEK_S = 7 * 86400  # no model waits longer for a verdict: ota.slot_states
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")  # of a channel and a model: parts of target paths


class UpdateSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Without `root` no update is ever taken; without `repository` only what a technician installs.

    `root` is the publisher's root.json, by which all else is proved. `repository`: the URL of the folder that has
    `metadata/` and `targets/`, or a folder on this board. `daily_bytes` is for downloads of a day together.

    With `poll` the board asks by itself, each `every`; without, only when a technician or the job of a rollout says so.
    `jobs`: whether it takes these, by the broker of `[uplink]`; by default where there are one and a repository.
    `jobs_prefix` and `jobs_thing` are for AWS IoT Jobs: by default `[uplink]` prefix and the board's name.

    A model is tried in three steps: examined on golden pictures while the cameras run; then it judges beside the old
    one, which counts, over `trial_pictures` for at least `trial_at_least`; then it counts, and after
    `probation_pictures` it is kept. In each it goes back by itself if it falls short.
    """

    root: Path | None = None
    repository: str | None = None
    http: bool = False
    channel: str = "stable"
    model: str = "visual-clean"
    hardware: str | None = None
    poll: bool = True
    every: Duration = Duration(6 * 3600.0)
    windows: tuple[str, ...] = ()
    bytes_per_s: int = MIB
    daily_bytes: int = 64 * MIB
    trial_pictures: int = 20
    trial_at_least: Duration = Duration(3600.0)
    trial_at_most: Duration = Duration(7 * 86400.0)
    flips_at_most: float = 0.2
    losses_at_most: float = 0.2
    probation_pictures: int = 20
    probation_at_most: Duration = Duration(2 * 86400.0)
    jobs: bool | None = None
    jobs_prefix: str | None = None
    jobs_thing: str | None = None

    def __post_init__(self) -> None:
        local = self.repository is not None and "://" not in self.repository
        for is_fine, problem in (
            (
                self.repository is None or local or self.repository.startswith(("https://", "http://")),
                "repository must be an https:// address, or a folder on this board",
            ),
            (
                self.repository is None or self.http or not self.repository.startswith("http://"),
                "repository is not encrypted: write https://, or http = true (signatures are checked anyway)",
            ),
            (self.repository is None or self.root is not None, "repository is given without root: add the root.json"),
            (NAME.fullmatch(self.channel), "channel: use a-z, 0-9, - and _, at most 63 characters"),
            (NAME.fullmatch(self.model), "model: use a-z, 0-9, - and _, at most 63 characters"),
            (60 <= self.every <= 30 * 86400, "every must be 1min to 30d"),
            (len(self.windows) <= 24, "windows: at most 24"),
            (10_000 <= self.bytes_per_s <= 1024 * MIB, "bytes_per_s must be 10000 to 1 GiB"),
            (MIB <= self.daily_bytes <= 1024 * 1024 * MIB, "daily_bytes must be 1 MiB (1048576) to 1 TiB"),
            (1 <= self.trial_pictures <= 10_000, "trial_pictures must be 1 to 10000"),
            (
                0 <= self.trial_at_least < self.trial_at_most <= WEEK_S,
                "trial_at_least must be shorter than trial_at_most, and that at most 7d",
            ),
            (0 <= self.flips_at_most <= 1, "flips_at_most must be 0 to 1"),
            (0 <= self.losses_at_most <= 1, "losses_at_most must be 0 to 1"),
            (1 <= self.probation_pictures <= 10_000, "probation_pictures must be 1 to 10000"),
            (60 <= self.probation_at_most <= WEEK_S, "probation_at_most must be 1min to 7d"),
            (
                not self.jobs or self.repository is not None,
                "jobs = true, and no repository to take models from: add it",
            ),
            (
                self.jobs_thing is None or re.search(THING, self.jobs_thing),
                "jobs_thing: use a-z, A-Z, 0-9, : - and _, at most 128 characters",
            ),
        ):
            if not is_fine:
                raise ValueError(problem)
        if self.jobs_prefix not in (None, AWS):
            check_prefix(self.jobs_prefix)
        try:
            _ = self.open_windows
        except ValueError as error:
            raise ValueError(f"windows: {error}") from None

    def job_topics(self, prefix: str, board: str) -> JobTopics | None:
        """Where this board is given jobs, by the broker where its topics begin with `prefix`. None: nowhere."""
        if self.jobs is False or self.repository is None:
            return None
        return JobTopics(self.jobs_prefix or prefix, self.jobs_thing or board)

    @property
    def open_windows(self) -> tuple[Window, ...]:
        return tuple(window(text) for text in self.windows)
