"""A conversation over the board's connection, beside its events and commands. What is said in it is not kept."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn, Protocol

from firmware.observations import Condition
from firmware.uplink.news import News
from firmware.uplink.refusals import NotGranted

if TYPE_CHECKING:
    from firmware.uplink.connection import Connection

PATIENCE_S = 600.0  # an access list is changed by a person


class Words(Protocol):
    """A message to send."""

    @property
    def topic(self) -> str: ...
    @property
    def payload(self) -> bytes: ...


class Conversation(Protocol):
    """The board's end of it. What was not sent when a connection ends is lost: say it anew at the next."""

    @property
    def subscriptions(self) -> Sequence[str]: ...

    def begin(self) -> None:
        """Called at each connection, once it is subscribed."""

    def hear(self, topic: str, payload: bytes) -> None:
        """What came to one of the subscriptions. Must return at once, whatever it is."""

    async def next_words(self) -> Words:
        """Wait for something to say, and take it."""


async def converse(connection: Connection, conversation: Conversation, news: News) -> NoReturn:
    """Until cancelled, or the connection ends (`BrokerError`). `news` hears if the broker does not grant it.

    Then it is tried again after `PATIENCE_S`: alarms must not wait for a right that they do not need.
    """
    while True:
        try:
            for topic in conversation.subscriptions:
                await connection.subscribe(topic)
            conversation.begin()
            while True:
                words = await conversation.next_words()
                await connection.suggest(words.topic, words.payload)
                news.well()
        except NotGranted as error:
            news.trouble(error.problem, error.remedy, Condition.DEGRADED)
        await asyncio.sleep(PATIENCE_S)
