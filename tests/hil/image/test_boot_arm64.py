"""Who waits for the image to start under QEMU hears at once that QEMU has ended."""

from __future__ import annotations

import asyncio
import sys

import pytest

from hil.image.boot_arm64 import Unseen, while_runs
from tests.mosquitto import Inbox, Received

pytestmark = pytest.mark.real

LONG_S = 60.0


async def test_an_emulator_that_ends_is_noticed_at_once() -> None:
    qemu = await asyncio.create_subprocess_exec(sys.executable, "-c", "raise SystemExit(3)")

    with pytest.raises(ExceptionGroup) as caught:
        await while_runs(qemu, Inbox().until(bool, LONG_S), "first verdict")
    assert caught.group_contains(Unseen, match="QEMU ended with 3, before: first verdict")


async def test_a_board_that_says_nothing_is_not_waited_for_without_end() -> None:
    qemu = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)

    with pytest.raises(ExceptionGroup) as caught:
        await while_runs(qemu, Inbox().until(bool, 0), "first verdict")
    qemu.kill()
    await qemu.wait()
    assert caught.group_contains(Unseen, match="not seen: first verdict")


async def test_what_the_board_says_is_returned_and_the_emulator_runs_on() -> None:
    qemu = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)
    inbox = Inbox()
    inbox.messages.append(Received("ductwatch/arm64/availability", b"online", False))

    assert await while_runs(qemu, inbox.until(bool, LONG_S), "the firmware is up") == inbox.messages
    assert qemu.returncode is None
    qemu.kill()
    await qemu.wait()
