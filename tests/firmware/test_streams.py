from __future__ import annotations

import asyncio

from firmware.streams import Latest, Mailbox


async def test_latest_gives_the_newest_and_counts_what_nobody_took() -> None:
    latest: Latest[int] = Latest()
    for value in (1, 2, 3):
        latest.put(value)

    assert await latest.get() == 3
    assert latest.overwritten == 2


async def test_latest_makes_its_consumer_wait_for_something_new() -> None:
    latest: Latest[int] = Latest()
    latest.put(1)
    await latest.get()
    waiting = asyncio.create_task(latest.get())
    await asyncio.sleep(0)

    latest.put(2)

    assert await waiting == 2


async def test_a_full_mailbox_drops_the_oldest_and_counts_it() -> None:
    mailbox: Mailbox[int] = Mailbox(2)
    for message in (1, 2, 3):
        mailbox.put(message)

    assert [await mailbox.get(), await mailbox.get()] == [2, 3]
    assert mailbox.dropped == 1


async def test_a_mailbox_keeps_order_while_its_consumer_waits() -> None:
    mailbox: Mailbox[int] = Mailbox(10)
    waiting = asyncio.create_task(mailbox.get())
    await asyncio.sleep(0)
    mailbox.put(1)
    mailbox.put(2)

    assert [await waiting, await mailbox.get()] == [1, 2]
    assert len(mailbox) == 0
