"""Small made-up bundles."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path


def bundle(root: Path, counter: int = 1, *, name: str = "visual-clean", **manifest: object) -> Path:
    """A folder that opens as a bundle; its network is 4 kB that nothing compresses, and another for each counter."""
    folder = root / f"{name}-{counter}"
    files = {"model.tflite": random.Random(f"{name} {counter}").randbytes(4096), "card.md": b"a card"}
    listed = {
        path: {"length": len(content), "sha256": hashlib.sha256(content).hexdigest()} for path, content in files.items()
    }
    document = {
        "name": name,
        "version": f"0.{counter}.0",
        "release_counter": counter,
        "hardware": ["any"],
        "files": listed,
        **manifest,
    }
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in {**files, "manifest.json": json.dumps(document).encode()}.items():
        (folder / path).write_bytes(content)
    return folder
