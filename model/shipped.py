"""Where the model is that comes with the firmware."""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def shipped_bundle() -> Path:
    """The folder of the bundle inside the installed package, to be opened as any other: nothing is taken on trust."""
    return Path(str(resources.files("model"))) / "visual_clean"
