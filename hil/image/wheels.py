"""Which of the locked wheels a board gets. pip would ask markers of the Python that runs it, not of the board's."""

from __future__ import annotations

import json
import re

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from hil.image.boards import PYTHON, PYTHON_FULL, Board

HASH = re.compile(r"\s+(?=--hash=)")


def for_board(locked: str, board: Board) -> str:
    """Of a lock file those lines whose markers hold on the board, without the markers; hashes stay."""
    here, lines = environment(board), []
    for line in locked.replace("\\\n", " ").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        wanted, *hashes = HASH.split(line.strip())
        requirement = Requirement(wanted)
        if requirement.marker is None or requirement.marker.evaluate(here):
            requirement.marker = None
            lines.append(" ".join((str(requirement), *hashes)))
    return "".join(f"{line}\n" for line in lines)


def installed_hashes(report: str) -> dict[str, str]:
    """SHA-256 of each wheel by its project's name (PEP 503), of pip's installation report."""
    return {
        canonicalize_name(wheel["metadata"]["name"]): wheel["download_info"]["archive_info"]["hashes"]["sha256"]
        for wheel in json.loads(report)["install"]
    }


def environment(board: Board) -> dict[str, str]:
    """All that a marker may ask for (PEP 508): what were missing here, would be this machine's."""
    return {
        "implementation_name": "cpython",
        "implementation_version": PYTHON_FULL,
        "os_name": "posix",
        "platform_machine": board.machine,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": PYTHON_FULL,
        "python_version": PYTHON,
        "sys_platform": "linux",
    }
