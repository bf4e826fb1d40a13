"""The folder of reports of cleanings: the last few, within a bound of number and bytes."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

from firmware.cleaning.record import Outcome
from firmware.cleaning.report import Letterhead, page
from firmware.cleaning.states import CleaningEvent
from firmware.kept_file import HALF, write

FOLDER = "cleaning"  # in the data directory
NAME = re.compile(r"(\d{4,9})-\d{4}-\d\d-\d\d-[a-z-]+\.html")
FOLDER_MODE, MODE = 0o750, 0o640  # who may ask the firmware for a cleaning may read what came of it
ENDS = {
    CleaningEvent.VERIFY: "verified",
    CleaningEvent.GIVE_UP: "not-verified",
    CleaningEvent.ABANDON: "not-completed",
}


class Reports:
    """Numbered by the board, since its clock may be wrong; the lowest number goes first. Its methods block."""

    def __init__(self, folder: Path, head: Letterhead, *, max_reports: int, max_bytes: int) -> None:
        self._folder = folder
        self._head = head
        self._max_reports = max_reports
        self._max_bytes = max_bytes
        self._style = resources.files("firmware.cleaning").joinpath("report.css").read_text(encoding="utf-8")

    def write(self, outcome: Outcome) -> str:
        """Its path below the data directory. Raises OSError, on a full disk for one, and leaves no half file.

        The one that was just written stays, even if it is larger than all that may be kept.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self._folder.chmod(FOLDER_MODE)
        for half in self._folder.glob(f"*{HALF}"):  # of a process that was killed while it wrote
            half.unlink(missing_ok=True)
        kept = listed(self._folder)
        number = 1 + max((_number(path) for path in kept), default=0)
        end = outcome.steps[-1]
        path = self._folder / f"{number:04}-{end.moment.stamp.time[:10]}-{ENDS[end.event]}.html"
        content = page(outcome, self._head, number=number, style=self._style).encode()
        self._make_room(kept, len(content))
        write(path, content, mode=MODE)
        return str(path.relative_to(self._folder.parent))

    def _make_room(self, kept: list[Path], wanted_bytes: int) -> None:
        sizes_bytes = [path.stat().st_size for path in kept]
        while kept and (len(kept) >= self._max_reports or sum(sizes_bytes) + wanted_bytes > self._max_bytes):
            kept.pop(0).unlink(missing_ok=True)
            sizes_bytes.pop(0)


def listed(folder: Path) -> list[Path]:
    """Reports, oldest first; nothing else that lies there. Raises OSError if it cannot be read."""
    return sorted((path for path in folder.iterdir() if NAME.fullmatch(path.name)), key=_number)


def _number(path: Path) -> int:
    match = NAME.fullmatch(path.name)
    assert match is not None
    return int(match[1])
