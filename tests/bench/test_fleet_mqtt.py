from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bench.fleet_mqtt import PUBLISH, Link, Packets, Refused, connect, packet, publish, published
from tests.mosquitto import LONG_S, Mosquitto


@pytest.mark.parametrize("length", [0, 1, 127, 128, 16_383, 16_384, 300_000])
@pytest.mark.parametrize("piece", [1, 3, 1 << 20], ids=lambda size: f"by {size}")
def test_a_message_comes_out_as_it_went_in(length: int, piece: int) -> None:
    if length > 20_000 and piece == 1:
        return  # the same, but slow
    sent = publish(700, "ductwatch/duct-1/jobs/get", b"x" * length) + packet(0xD0, b"")
    packets = Packets()

    got = [found for start in range(0, len(sent), piece) for found in packets.feed(sent[start : start + piece])]

    assert [kind for kind, _ in got] == [PUBLISH | 0x02, 0xD0]
    assert published(*got[0]) == ("ductwatch/duct-1/jobs/get", b"x" * length, 700)


def test_a_message_that_wants_no_answer_has_no_number() -> None:
    assert published(PUBLISH, b"\0\1t" + b"\0" + b"hello") == ("t", b"hello", None)


def test_properties_are_passed_over() -> None:
    assert published(PUBLISH, b"\0\1t" + b"\2\1\1" + b"hello") == ("t", b"hello", None)


@pytest.mark.parametrize(
    "sent", [bytes((PUBLISH, 0xFF, 0xFF, 0xFF, 0x7F)), bytes((PUBLISH, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F))]
)
def test_a_packet_without_end_is_refused(sent: bytes) -> None:
    with pytest.raises(Refused):
        list(Packets().feed(sent))


@pytest.mark.real
async def test_what_one_board_says_another_hears_from_a_real_broker(tmp_path: Path) -> None:
    heard: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
    async with Mosquitto(tmp_path) as broker:
        speaker, listener = Link(lambda *_: None), Link(lambda *message: heard.put_nowait(message))
        await speaker.open(broker.port, connect("speaker", "speaker/availability", b"offline"), ["speaker/+"])
        await listener.open(
            broker.port, connect("listener", "listener/availability", b"offline"), ["+/said", "+/availability"]
        )

        speaker.publish("speaker/said", b"a word")

        assert await asyncio.wait_for(heard.get(), LONG_S) == ("speaker/said", b"a word")
        assert 100 < listener.carried.data_bytes < listener.carried.wire_bytes
        speaker.close()
        assert await asyncio.wait_for(heard.get(), LONG_S) == ("speaker/availability", b"offline")
        listener.close()


@pytest.mark.real
async def test_a_broker_that_does_not_let_it_in_is_named(tmp_path: Path) -> None:
    async with Mosquitto(tmp_path, options=("allow_anonymous false",)) as broker:
        with pytest.raises(Refused, match="CONNACK 0x87"):
            await Link(lambda *_: None).open(broker.port, connect("a", "a/availability", b"offline"), ["a/+"])
