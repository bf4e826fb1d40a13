"""What is kept of a failed test: the board's console and journal, the broker's messages, the pictures in view."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import simplejpeg

from hil.bench import Bench
from hil.rig.uvc import VGA

JOURNAL_LIMIT_S = 30.0
JOURNAL = "journalctl -b --no-pager -o short-monotonic -n 3000"
MOST_MESSAGES = 2000


def keep(folder: Path, test: str, machine: Any, bench: Bench) -> Path:
    """Write it to a folder named after the test, and return that."""
    kept = folder / re.sub(r"[^\w-]+", "-", test)[:120]
    kept.mkdir(parents=True, exist_ok=True)
    if hasattr(machine.power, "console"):
        (kept / "console.txt").write_bytes(bytes(machine.power.console))
    with suppress(Exception):  # whatever is wrong with the board: this is what is looked into
        out, _, _ = machine.shell.run(JOURNAL, timeout=JOURNAL_LIMIT_S)
        (kept / "journal.txt").write_text("\n".join(out))
    messages = [
        f"{message.topic} {message.payload.decode(errors='replace')}"
        for message in bench.messages.since(-MOST_MESSAGES)
    ]
    (kept / "messages.txt").write_text("\n".join(messages))
    (kept / "bench.json").write_text(json.dumps(bench.state(), indent=2))
    for name, scene in bench.scenes().items():
        for light, look in (("lit", scene.lit), ("dark", scene.dark)):
            (kept / f"{name}-{light}.jpg").write_bytes(simplejpeg.encode_jpeg(look(VGA), quality=85, colorspace="RGB"))
    return kept
