"""One connection to the broker, from login to hanging up. The one door of aiomqtt.

aiomqtt 2.5 leaves five things to its users; they are done here, on its own hooks:
- it connects in asyncio's thread pool, which holds up the end of the process for as long as a name server is silent;
- it takes a PUBACK for a success although the broker may have refused the message (MQTT 5, 3.4.2.1), which would
  delete the message here: https://github.com/eclipse-paho/paho.mqtt.python/issues/895;
- it waits out its whole time limit when the broker hangs up during the login, as for a missing client certificate;
- it leaves the socket open after such failures;
- its time limits are `asyncio.wait_for`, which before Python 3.12 drops a cancellation that comes together with the
  answer (https://github.com/python/cpython/issues/86296): a task that was stopped would go on for ever.
A connection is used once: paho, below aiomqtt, keeps unacknowledged messages and would send them again by itself.
"""

from __future__ import annotations

import asyncio
import logging
import math
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Self

import aiomqtt
from paho.mqtt.client import MQTT_ERR_SUCCESS, ConnectFlags, DisconnectFlags
from paho.mqtt.client import Client as PahoClient
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from drivers.worker import Stuck, Worker
from firmware.uplink.discovery import Retained
from firmware.uplink.refusals import BrokerError, hung_up, lost, not_granted, refused, silent, unreachable
from firmware.uplink.settings import ANSWER_LIMIT_S, CONNECT_LIMIT_S, UplinkSettings

LEAVE_LIMIT_S = 0.5  # for the last words: a part of the two seconds in which the firmware stops
WAITING_COMMANDS = 32  # beyond it the newest are dropped: nobody presses a button so often
RESERVE = 3  # of the broker's window, for replies, availability and a conversation
MAX_PASSWORD_BYTES = 4096
UNSPECIFIED = 0x80  # the reason code that paho makes up when the connection just broke

QUIET = logging.Logger("mqtt", logging.CRITICAL)  # what goes wrong is reported, once, and not at every attempt


@asynccontextmanager
async def connected(
    settings: UplinkSettings, *, identifier: str, will: Retained, connector: Worker, waiting: int = WAITING_COMMANDS
) -> AsyncIterator[Connection]:
    """A connection for the length of the block. If it ends without a word, the broker publishes the will.

    `identifier` must be the same each time, so that the broker ends what is left of the connection before.
    `connector` does what may block. Of the messages that come in, `waiting` wait at most: then the newest are dropped.
    Raises `BrokerError`, as does every method of the connection.
    """
    with _translated(settings):
        secrets = await connector.run(_secrets, settings, limit_s=CONNECT_LIMIT_S)
        client = _Client(settings, secrets, identifier=identifier, will=will, connector=connector, waiting=waiting)
    try:
        with _translated(settings):
            async with asyncio.timeout(CONNECT_LIMIT_S + ANSWER_LIMIT_S):
                await client.__aenter__()
        yield Connection(client, settings)
    finally:
        await client.hang_up()


@dataclass(frozen=True, slots=True)
class Received:
    """A message of a topic that was subscribed to."""

    topic: str
    payload: bytes


class Connection:
    """An open connection. Everything that is published asks for an acknowledgement (QoS 1) and waits for it."""

    def __init__(self, client: _Client, settings: UplinkSettings) -> None:
        self._client = client
        self._settings = settings
        self.window = max(1, min(settings.window, client.receive_maximum - RESERVE))

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Return when the broker has taken the message over."""
        with _translated(self._settings):
            async with asyncio.timeout(ANSWER_LIMIT_S):
                await self._client.publish(topic, payload, qos=1, retain=retain)

    async def suggest(self, topic: str, payload: bytes) -> None:
        """As `publish`, of what the board can do without. Raises `NotGranted` if the broker refuses it."""
        with _translated(self._settings):
            async with asyncio.timeout(ANSWER_LIMIT_S):
                code = await self._client.suggest(topic, payload)
        if code.is_failure:
            raise not_granted(self._settings.broker, topic, code.value, str(code))

    async def subscribe(self, topic: str) -> None:
        """Retained messages are not asked for: a command of yesterday is none of today. Raises `NotGranted`, too."""
        await self._subscribe(topic, SubscribeOptions.RETAIN_DO_NOT_SEND)

    async def subscribe_and_recall(self, topic: str) -> None:
        """As `subscribe`, and first comes what the broker has retained."""
        await self._subscribe(topic, SubscribeOptions.RETAIN_SEND_ON_SUBSCRIBE)

    async def _subscribe(self, topic: str, retained: int) -> None:
        options = SubscribeOptions(qos=1, retainHandling=retained)
        with _translated(self._settings):
            async with asyncio.timeout(ANSWER_LIMIT_S):
                codes = await self._client.subscribe(topic, options=options)
        for code in codes:
            if isinstance(code, ReasonCode) and code.is_failure:
                raise not_granted(self._settings.broker, topic, code.value, str(code))

    async def received(self) -> AsyncGenerator[Received, None]:
        """What comes in, until the connection ends: then it raises."""
        with _translated(self._settings):
            async for message in self._client.messages:
                payload = message.payload if isinstance(message.payload, bytes) else b""
                yield Received(message.topic.value, payload)

    async def watch(self) -> NoReturn:
        """Raise as soon as the connection ends: a publish alone would wait for its time limit."""
        with _translated(self._settings):
            await self._client.ended()

    async def leave(self, last_word: Retained) -> None:
        """Say goodbye, with this instead of the will. Takes `LEAVE_LIMIT_S` at most; if it fails, the will holds."""
        with suppress(BrokerError, aiomqtt.MqttError, TimeoutError):
            async with asyncio.timeout(LEAVE_LIMIT_S):
                await self.publish(last_word.topic, last_word.payload, retain=True)
                await self._client.__aexit__(None, None, None)


class _HungUp(aiomqtt.MqttError):
    """The broker ended the connection before it answered the login."""


class _TidySocket(ssl.SSLSocket):
    """Closed when the handshake fails: paho forgets to."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


@dataclass(frozen=True, slots=True)
class _Secrets:
    context: ssl.SSLContext | None
    password: str | None


class _Client(aiomqtt.Client):
    def __init__(
        self,
        settings: UplinkSettings,
        secrets: _Secrets,
        *,
        identifier: str,
        will: Retained,
        connector: Worker,
        waiting: int,
    ) -> None:
        super().__init__(
            settings.host,
            settings.broker_port,
            username=settings.username,
            password=secrets.password,
            logger=QUIET,
            identifier=identifier,
            protocol=aiomqtt.ProtocolVersion.V5,
            will=aiomqtt.Will(will.topic, will.payload, qos=1, retain=True),
            timeout=math.inf,  # limits are set here, by asyncio.timeout
            keepalive=round(settings.keepalive),
            clean_start=True,  # the outbox remembers, not the broker
            max_queued_incoming_messages=waiting,
            max_queued_outgoing_messages=settings.window + RESERVE,
            max_inflight_messages=settings.window + RESERVE,
            tls_context=secrets.context,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],  # an alarm waits for nobody's delayed ACK
        )
        self.pending_calls_threshold = settings.window + RESERVE
        self.receive_maximum = 65535  # MQTT 5, 3.2.2.3.3: if the broker names none
        self._connector = connector
        self._given_up = False
        self._gone = asyncio.Event()
        self._suggested: dict[int, asyncio.Future[ReasonCode]] = {}

    async def __aenter__(self) -> Self:
        await self._connector.run(self._connect, limit_s=CONNECT_LIMIT_S)
        return await super().__aenter__()

    async def suggest(self, topic: str, payload: bytes) -> ReasonCode:
        """What the broker says to it: unlike with `publish`, a refusal does not end the connection."""
        sent = self._client.publish(topic, payload, qos=1)
        if sent.rc != MQTT_ERR_SUCCESS:
            raise aiomqtt.MqttCodeError(sent.rc)
        self._suggested[sent.mid] = self._loop.create_future()
        try:
            return await self._suggested[sent.mid]
        finally:
            del self._suggested[sent.mid]

    async def ended(self) -> NoReturn:
        await asyncio.wait([self._disconnected])
        raise aiomqtt.MqttError("ended") from self._disconnected.exception()

    async def hang_up(self) -> None:
        """Cut the connection, if there is still one, and leave nothing behind."""
        self._given_up = True
        self._cut()
        if self._client.socket() is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(LEAVE_LIMIT_S):
                    await self._gone.wait()
        for future in (self._connected, self._disconnected):
            if future.done():
                future.exception()  # has been seen: asyncio need not warn of it

    def _connect(self) -> None:
        super()._client_connect()
        if self._given_up:  # nobody waited any longer
            self._loop.call_soon_threadsafe(self._cut)

    def _client_connect(self) -> None:
        """Called by aiomqtt in asyncio's thread pool: `_connect` has done it."""

    def _cut(self) -> None:
        link = self._client.socket()
        if isinstance(link, socket.socket):
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)  # paho reads the end, and closes

    def _on_connect(
        self,
        client: PahoClient,
        userdata: Any,
        flags: ConnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        self.receive_maximum = getattr(properties, "ReceiveMaximum", self.receive_maximum)
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_disconnect(
        self,
        client: PahoClient,
        userdata: Any,
        flags: DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        self._gone.set()
        if not self._connected.done():
            self._connected.set_exception(_HungUp())
        super()._on_disconnect(client, userdata, flags, reason_code, properties)

    def _on_publish(
        self, client: PahoClient, userdata: Any, mid: int, reason_code: ReasonCode, properties: Properties
    ) -> None:
        if (suggested := self._suggested.get(mid)) is not None:
            if not suggested.done():
                suggested.set_result(reason_code)
        elif not reason_code.is_failure:
            super()._on_publish(client, userdata, mid, reason_code, properties)
        elif not self._disconnected.done():
            self._disconnected.set_exception(aiomqtt.MqttCodeError(reason_code))


def _secrets(settings: UplinkSettings) -> _Secrets:
    """Read certificates and password: anew for each connection, so that they may be renewed. Raises `BrokerError`."""
    return _Secrets(_context(settings) if settings.encrypted else None, _password(settings.password_file))


def _context(settings: UplinkSettings) -> ssl.SSLContext:
    with _readable("uplink.ca", settings.ca):
        context = ssl.create_default_context(cafile=settings.ca)
    if settings.ca is not None:  # a site's own authority is seldom to the letter of RFC 5280, as Python 3.13 demands
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.sslsocket_class = _TidySocket
    if settings.certificate is not None:
        with _readable("uplink.certificate or uplink.key", settings.certificate):
            context.load_cert_chain(settings.certificate, settings.key, password="")  # never asks on the terminal
    return context


def _password(path: Path | None) -> str | None:
    if path is None:
        return None
    with _readable("uplink.password_file", path), path.open(encoding="utf-8") as file:
        return file.readline(MAX_PASSWORD_BYTES).rstrip("\r\n")


@contextmanager
def _readable(setting: str, path: Path | None) -> Iterator[None]:
    try:
        yield
    except (OSError, UnicodeDecodeError) as error:  # ssl.SSLError, for what is no PEM, is an OSError
        remedy = f"Check {setting}: file, contents, and that the firmware's user may read it"
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise BrokerError(f"{path} cannot be used: {reason}", remedy=remedy) from error


@contextmanager
def _translated(settings: UplinkSettings) -> Iterator[None]:
    """Whatever network, TLS and MQTT raise, as a `BrokerError` that says what to do."""
    broker = settings.broker
    try:
        yield
    except Stuck:
        raise silent(broker) from None
    except _HungUp:
        raise hung_up(broker, encrypted=settings.encrypted) from None
    except (OSError, UnicodeError) as error:  # the latter: a host that can be no name
        raise unreachable(broker, error, ca=str(settings.ca or "the system's authorities")) from error
    except aiomqtt.MqttError as error:
        raise _explained(broker, error) from error


def _explained(broker: str, error: aiomqtt.MqttError) -> BrokerError:
    for cause in (error, error.__cause__):
        code = cause.rc if isinstance(cause, aiomqtt.MqttCodeError) else None
        if isinstance(code, ReasonCode) and code.value > UNSPECIFIED:
            return refused(broker, code.value, str(code))
    return lost(broker)
