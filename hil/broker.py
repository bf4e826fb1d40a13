"""The broker that the board reports to, and all that it got."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import aiomqtt

from hil.desk import START_LIMIT_S, Desk
from tests.mosquitto import Cable, Inbox, Mosquitto, Received

RECONNECT_S = 0.1


class Messages:
    """What the broker got from the board, in the order of arrival, over all of its connections."""

    def __init__(self, desk: Desk, inbox: Inbox) -> None:
        self._desk, self._inbox = desk, inbox

    def mark(self) -> int:
        """A place to look from: what comes after it was sent after now."""
        return self._desk.do(lambda: len(self._inbox.messages))

    def since(self, mark: int) -> list[Received]:
        return self._desk.do(lambda: self._inbox.messages[mark:])

    def until(self, fits: Callable[[Received], bool], *, since: int, limit_s: float) -> Received:
        """The first that fits, waiting for it. Raises AssertionError that lists what came instead."""
        looked_at = since  # each is looked at once, however many come while others are waited for

        def has_come(messages: list[Received]) -> bool:
            nonlocal looked_at
            while looked_at < len(messages):
                if fits(messages[looked_at]):
                    return True
                looked_at += 1
            return False

        try:
            return self._desk.wait(self._inbox.until(has_come, limit_s), limit_s + 5)[looked_at]
        except TimeoutError:
            came = [f"{message.topic}: {message.payload[:160]!r}" for message in self.since(since)]
            raise AssertionError(
                f"nothing that fits within {limit_s:g} s; the last of {len(came)}: {came[-8:]}"
            ) from None


class Broker:
    """Mosquitto on the host: killed, started again, and spoken to.

    The board comes to it by a cable at `port` of `host`, plugged in when the inbox listens: no message is missed.
    """

    def __init__(self, desk: Desk, folder: Path, *, host: str = "127.0.0.1", port: int | None = None) -> None:
        self._desk = desk
        options = ("allow_anonymous true", "max_queued_messages 0", "max_inflight_messages 20")
        self._mosquitto = Mosquitto(folder, options)
        self._runs = asyncio.Event()
        self._inbox = Inbox()
        self.messages = Messages(desk, self._inbox)
        self._cable = Cable(self._mosquitto.port, host=host, port=port)
        self.port = self._cable.port
        self._listening = asyncio.Event()

    def start(self) -> None:
        """Start it, if it does not run."""
        if not self._runs.is_set():
            self._desk.wait(self._mosquitto.start(), START_LIMIT_S)
            self._desk.do(self._runs.set)
            self._desk.wait(self._listening.wait(), START_LIMIT_S)
            self._desk.wait(self._cable.plug_in(), START_LIMIT_S)

    def kill(self) -> None:
        """Kill it, if it runs."""
        self._desk.wait(self._cable.pull_out(), START_LIMIT_S)
        if self._runs.is_set():
            self._desk.do(self._runs.clear)
            self._desk.wait(self._mosquitto.kill(), START_LIMIT_S)

    def send(self, topic: str, payload: bytes) -> None:
        async def sent() -> None:
            async with aiomqtt.Client("127.0.0.1", self._mosquitto.port, protocol=aiomqtt.ProtocolVersion.V5) as client:
                await client.publish(topic, payload, qos=1)

        self._desk.wait(sent(), START_LIMIT_S)

    async def listen(self) -> None:
        """Note what comes, however often the broker goes."""
        while True:
            await self._runs.wait()
            with suppress(aiomqtt.MqttError, OSError):
                async with self._inbox.listening(self._mosquitto.port, "#"):
                    self._listening.set()
                    await self._hung_up()
            self._listening.clear()
            await asyncio.sleep(RECONNECT_S)

    async def _hung_up(self) -> None:
        while True:
            with suppress(TimeoutError):
                return await self._inbox.until_hung_up()
