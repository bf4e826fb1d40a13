"""What `ductwatch ota check` and `install` tell of what the firmware came to."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from firmware.local.door import NAME, bound, serve

pytestmark = pytest.mark.real

IDLE: dict[str, Any] = {
    "doing": "trying",
    "release": "visual-clean 9.0",
    "here": 3,
    "of": 20,
    "asked": 4,
    "wanted": False,
    "last": {},
    "running": {"model": "visual-clean", "version": "0.2.0", "release_counter": 4},
}
TAKEN = {"done": True, "text": "asking"}
NOT_THERE = {"outcome": "postponed", "why": "/nowhere: no such folder", "figures": {}, "ago_s": 0.1}
NOTHING = {"outcome": "none", "why": "visual-clean 0.2.0 is what runs already", "figures": {}, "ago_s": 0.1}


async def told(folder: Path, replies: Sequence[dict[str, Any]], *words: str) -> tuple[int | None, str, str]:
    """Its exit status and what it printed, where the firmware gives these replies in turn, and the last for ever."""
    left = list(replies)

    async def answer(_: bytes) -> bytes:
        return json.dumps(left.pop(0) if len(left) > 1 else left[0]).encode()

    with bound(folder / NAME) as listening:
        serving = asyncio.create_task(serve(listening, answer))
        try:
            command = (sys.executable, "-m", "firmware", "ota", *words, "--data", str(folder))
            process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
            out, err = await process.communicate()
            return process.returncode, out.decode(), err.decode()
        finally:
            serving.cancel()


@pytest.mark.parametrize(
    ("last", "status", "words"),
    [
        (NOT_THERE, 1, "postponed: /nowhere: no such folder"),
        (NOTHING, 0, "nothing new: visual-clean 0.2.0 is what runs already"),
        ({}, 0, "Trying beside the model that counts: visual-clean 9.0, 3 of 20 pictures"),
    ],
    ids=["in the way", "nothing new", "taken on trial"],
)
async def test_it_is_judged_by_what_came_of_this_request_also_while_another_model_is_on_trial(
    tmp_path: Path, last: dict[str, Any], status: int, words: str
) -> None:
    waits, asking = IDLE | {"wanted": True}, IDLE | {"doing": "asking", "asked": 5}
    after = IDLE | {"asked": 5, "last": last}

    found, out, _ = await told(tmp_path, [IDLE, TAKEN, waits, asking, after], "install", "/nowhere")

    assert found == status
    assert words in out


async def test_a_firmware_that_began_anew_before_it_asked_is_not_waited_for(tmp_path: Path) -> None:
    anew = IDLE | {"asked": 0}

    status, _, err = await told(tmp_path, [IDLE, TAKEN, anew], "check")

    assert status == 2
    assert "The firmware began anew before it asked. Do it again." in err
