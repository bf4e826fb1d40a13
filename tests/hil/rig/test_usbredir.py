from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.rig import usbredir
from hil.rig.packets import (
    SPOKEN,
    BulkPacket,
    ControlPacket,
    DeviceConnect,
    DeviceDisconnect,
    Hello,
    InterruptPacket,
    Packet,
    SetConfiguration,
)

HELLO = usbredir.hello("qemu")

byte = st.integers(0, 255)
word = st.integers(0, 0xFFFF)
packets = st.one_of(
    st.builds(ControlPacket, byte, byte, byte, byte, word, word, word, st.binary(max_size=40)),
    st.builds(usbredir.bulk, byte, byte, st.integers(0, 0xFFFFFFFF), st.binary(max_size=40)),
    st.builds(InterruptPacket, byte, byte, word, st.binary(max_size=40)),
    st.builds(DeviceConnect, byte, byte, byte, byte, word, word, word),
    st.just(DeviceDisconnect()),
)


def greeted() -> usbredir.Parser:
    parser = usbredir.Parser()
    assert len(list(parser.feed(HELLO))) == 1
    return parser


def test_a_hello_has_an_id_of_32_bits_and_what_follows_one_of_64() -> None:
    assert HELLO[:12] == struct.pack("<III", 0, 68, 0)
    assert HELLO[12:76].rstrip(b"\0") == b"qemu"
    assert usbredir.encode(SetConfiguration(1), 0x1122334455667788) == struct.pack("<IIQB", 6, 1, 0x1122334455667788, 1)


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), packets), max_size=5), st.lists(st.integers(1, 60), min_size=1))
def test_packets_come_out_as_they_went_in_however_the_bytes_are_cut(
    sent: list[tuple[int, Packet]], cuts: list[int]
) -> None:
    wire = b"".join(usbredir.encode(packet, number) for number, packet in sent)
    parser, received, at = greeted(), [], 0
    while at < len(wire):
        cut = cuts[at % len(cuts)]
        received += list(parser.feed(wire[at : at + cut]))
        at += cut

    assert received == sent


def test_a_long_bulk_transfer_has_its_length_in_two_parts() -> None:
    packet = usbredir.bulk(0x81, 0, 0x12345)

    assert (packet.length_low, packet.length_high, packet.length) == (0x2345, 1, 0x12345)
    assert usbredir.encode(packet, 7)[16:] == bytes.fromhex("81 00 4523 00000000 0100")
    assert isinstance(packet, BulkPacket)


def test_a_packet_that_would_fill_the_memory_is_refused_before_it_is_read() -> None:
    with pytest.raises(usbredir.ProtocolError, match="a packet of 1048577 bytes"):
        list(greeted().feed(struct.pack("<IIQ", 101, (1 << 20) + 1, 0)))


@pytest.mark.parametrize(
    ("wire", "problem"),
    [
        (struct.pack("<IIQ", 104, 0, 0), "kind 104"),
        (struct.pack("<IIQB", 100, 1, 0, 0), "ControlPacket of 1 bytes instead of 10"),
        (struct.pack("<IIQ2B", 6, 2, 0, 1, 1), "SetConfiguration of 2 bytes instead of 1"),
        (struct.pack("<IIQ", 0, 68, 0) + HELLO[12:], "a hello must come first, and once"),
    ],
    ids=["a kind nobody asked for", "cut short", "too long", "a second hello"],
)
def test_what_is_no_usbredir_is_refused(wire: bytes, problem: str) -> None:
    with pytest.raises(usbredir.ProtocolError, match=problem):
        list(greeted().feed(wire))


def test_an_end_that_cannot_do_what_xhci_needs_is_refused() -> None:
    old = usbredir.encode(Hello(b"old qemu".ljust(64, b"\0"), SPOKEN & ~(1 << 5)), 0)
    with pytest.raises(usbredir.ProtocolError, match=r"old qemu cannot do .*IDS_OF_64_BITS"):
        list(usbredir.Parser().feed(old))


def test_more_capabilities_than_we_know_are_fine() -> None:
    known = Hello(b"new qemu".ljust(64, b"\0"), 0xFFFFFFFF)
    longer = bytearray(usbredir.encode(known, 0) + b"\xff" * 4)
    longer[4:8] = (72).to_bytes(4, "little")

    assert list(usbredir.Parser().feed(bytes(longer))) == [(0, known)]
