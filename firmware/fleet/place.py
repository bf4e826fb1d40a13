"""Where a fleet's file is, unless somebody names another."""

from __future__ import annotations

import os
from pathlib import Path


def state_file(chosen: Path | None) -> Path:
    """XDG Base Directory Specification 0.8: what should outlive a restart, and is not worth a backup to others."""
    if chosen is not None:
        return chosen
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "ductwatch" / "fleet.sqlite"
