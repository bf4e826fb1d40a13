"""The socket: who may use it, and what whoever asks wrongly is told."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from firmware.local import door
from firmware.local.door import MAX_REQUEST_BYTES, WAITING, Answer, Unreachable, ask, bound, serve

pytestmark = pytest.mark.real


@asynccontextmanager
async def served(path: Path, answer: Answer) -> AsyncIterator[None]:
    with bound(path) as listening:
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(serve(listening, answer))
            yield
            serving.cancel()


async def echoed(request: bytes) -> bytes:
    return b"you said " + request


async def asked(path: Path, request: bytes) -> bytes:
    return await asyncio.to_thread(ask, path, request)


async def test_a_line_in_is_a_line_out(tmp_path: Path) -> None:
    path = tmp_path / door.NAME
    async with served(path, echoed):
        replies = [await asked(path, b"one"), await asked(path, b"two")]
        mode = stat.S_IMODE(path.stat().st_mode)

    assert replies == [b"you said one", b"you said two"]
    assert mode == 0o660
    assert not path.exists()


async def test_what_a_killed_firmware_left_behind_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / door.NAME
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))

    async with served(path, echoed):
        assert await asked(path, b"hello") == b"you said hello"


@pytest.mark.parametrize("left_behind", [False, True])
async def test_where_nobody_answers_one_is_told_to_start_it(tmp_path: Path, left_behind: bool) -> None:
    path = tmp_path / door.NAME
    if left_behind:
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(path))

    with pytest.raises(Unreachable, match="no firmware runs here"):
        await asked(path, b"hello")


async def test_a_request_that_never_ends_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / door.NAME
    async with served(path, echoed):
        with pytest.raises(Unreachable):
            await asked(path, b"x" * (2 * MAX_REQUEST_BYTES))

        assert await asked(path, b"hello") == b"you said hello"


async def test_too_many_at_once_are_sent_away(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack, socket.socket(socket.AF_UNIX) as busy:
        busy.bind(str(tmp_path / door.NAME))
        busy.listen(WAITING)
        for _ in range(WAITING + 1):  # the kernel lets one more wait
            waiting = stack.enter_context(socket.socket(socket.AF_UNIX))
            waiting.connect(str(tmp_path / door.NAME))

        with pytest.raises(Unreachable, match="too many are asking at once"):
            await asked(tmp_path / door.NAME, b"hello")


async def test_who_says_nothing_holds_the_others_up_for_a_moment_only(tmp_path: Path) -> None:
    path = tmp_path / door.NAME
    async with served(path, echoed):
        with socket.socket(socket.AF_UNIX) as silent:
            silent.connect(str(path))

            assert await asked(path, b"hello") == b"you said hello"
