"""As much of MQTT 5 as a board of the fleet needs: one connection, QoS 1, a will, nothing remembered.

Not by the firmware's aiomqtt: each of its clients has a socket pair of its own and wakes up once a second, which is
nothing on a board and a core's work for ten thousand. Numbers in brackets are sections of the standard.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Iterator, Sequence

from bench.fleet_wire import Carried, carried, client_socket

CONNECT, CONNACK, PUBLISH, PUBACK = 0x10, 0x20, 0x30, 0x40
SUBSCRIBE, SUBACK, PINGREQ = 0x82, 0x90, 0xC0
QOS_1, RETAIN = 0x02, 0x01  # of a PUBLISH
CLEAN_START, WILL, WILL_QOS_1, WILL_RETAIN = 0x02, 0x04, 0x08, 0x20
NO_RETAINED = 0x20  # Retain Handling of a subscription: nothing from before (3.8.3.1)
NO_PROPERTIES = b"\0"
FAILURE = 0x80
MAX_PACKET_BYTES = 1 << 20
KEEPALIVE_S = 30  # as `[uplink] keepalive` has it
ANSWER_LIMIT_S = 120.0  # a broker that ten thousand ask at once takes its time

Heard = Callable[[str, bytes], None]


class Refused(Exception):
    """By the broker."""


def packet(kind: int, body: bytes) -> bytes:
    return bytes((kind,)) + _length(len(body)) + body


def text(value: str) -> bytes:
    encoded = value.encode()
    return struct.pack("!H", len(encoded)) + encoded


def connect(identifier: str, will_topic: str, will: bytes) -> bytes:
    flags = CLEAN_START | WILL | WILL_QOS_1 | WILL_RETAIN
    head = text("MQTT") + bytes((5, flags)) + struct.pack("!H", KEEPALIVE_S) + NO_PROPERTIES
    return packet(CONNECT, head + text(identifier) + NO_PROPERTIES + text(will_topic) + _binary(will))


def subscribe(number: int, filters: Sequence[str]) -> bytes:
    wanted = b"".join(text(one) + bytes((1 | NO_RETAINED,)) for one in filters)
    return packet(SUBSCRIBE, struct.pack("!H", number) + NO_PROPERTIES + wanted)


def publish(number: int, topic: str, payload: bytes, *, retain: bool = False) -> bytes:
    kind = PUBLISH | QOS_1 | (RETAIN if retain else 0)
    return packet(kind, text(topic) + struct.pack("!H", number) + NO_PROPERTIES + payload)


def published(kind: int, body: bytes) -> tuple[str, bytes, int | None]:
    """Topic, payload, and the number to acknowledge, if it wants that."""
    end = 2 + int.from_bytes(body[:2])
    topic, number = body[2:end].decode(), None
    if kind & 0x06:
        number, end = int.from_bytes(body[end : end + 2]), end + 2
    properties, start = _read_length(body, end) or (0, end)
    return topic, body[start + properties :], number


class Packets:
    """Takes bytes as they come, and gives packets."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """First byte and body of each that is whole now. Raises `Refused` for one that is too long."""
        self._rest += data
        while len(self._rest) >= 2 and (found := _read_length(self._rest, 1)) is not None:
            length, start = found
            if length > MAX_PACKET_BYTES:
                raise Refused(f"a packet of {length} bytes")
            if len(self._rest) < start + length:
                return
            kind, body = self._rest[0], bytes(self._rest[start : start + length])
            del self._rest[: start + length]
            yield kind, body


class Link(asyncio.Protocol):
    """A connection; `heard` gets what comes. `messages` are those published, both ways, `payload_bytes` in them."""

    def __init__(self, heard: Heard) -> None:
        self._heard = heard
        self._packets = Packets()
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._number = 0
        self._sent_s = 0.0
        self._loop = asyncio.get_running_loop()

    async def open(self, port: int, first: bytes, filters: Sequence[str]) -> None:
        """Return when the broker has let it in, and has taken the subscriptions. Raises `Refused`, OSError."""
        link = client_socket()
        await self._loop.sock_connect(link, ("127.0.0.1", port))
        await self._loop.create_connection(lambda: self, sock=link)
        if (code := (await self._ask(first))[1]) >= FAILURE:
            raise Refused(f"CONNACK {code:#x}")
        self._number += 1
        if any(code >= FAILURE for code in (await self._ask(subscribe(self._number, filters)))[3:]):
            raise Refused("SUBACK")

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self._number = self._number % 0xFFFF + 1
        self._send(publish(self._number, topic, payload, retain=retain))

    def keep_alive(self) -> None:
        """To be called now and then: pings where nothing was sent for so long as was promised."""
        if self._loop.time() - self._sent_s >= KEEPALIVE_S:
            self._send(bytes((PINGREQ, 0)))

    @property
    def carried(self) -> Carried:
        assert self._transport is not None
        return carried(self._transport.get_extra_info("socket"))

    def close(self) -> None:
        """Without a word: what ends a simulation is no board's business."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, _: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Refused("the broker hung up"))

    def data_received(self, data: bytes) -> None:
        for kind, body in self._packets.feed(data):
            if kind & 0xF0 == PUBLISH:
                topic, payload, number = published(kind, body)
                if number is not None:
                    self._send(packet(PUBACK, struct.pack("!H", number)))
                self._heard(topic, payload)
            elif kind in (CONNACK, SUBACK) and self._answer is not None and not self._answer.done():
                self._answer.set_result(body)

    async def _ask(self, content: bytes) -> bytes:
        self._answer = self._loop.create_future()
        self._send(content)
        async with asyncio.timeout(ANSWER_LIMIT_S):
            return await self._answer

    def _send(self, content: bytes) -> None:
        assert self._transport is not None
        self._transport.write(content)
        self._sent_s = self._loop.time()


def _binary(value: bytes) -> bytes:
    return struct.pack("!H", len(value)) + value


def _length(value: int) -> bytes:
    """Variable Byte Integer (1.5.5)."""
    made = bytearray()
    while True:
        value, digit = divmod(value, 128)
        made.append(digit | (0x80 if value else 0))
        if not value:
            return bytes(made)


def _read_length(data: bytes | bytearray, at: int) -> tuple[int, int] | None:
    """The value, and where what follows begins; None where it is not whole yet."""
    value = 0
    for place in range(4):
        if at + place >= len(data):
            return None
        value |= (data[at + place] & 0x7F) << 7 * place
        if data[at + place] < 0x80:
            return value, at + place + 1
    raise Refused("a length of more than four bytes")
