from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.plantower import ACTIVE, FRAME_BYTES, PASSIVE, READ, SLEEP, WAKE, Decoder, Particles, parse, readings
from drivers.types import Instant, Quality, Quantity, SourceId
from hil.rig.plantower import CLEAN_AIR, DIRTY_AIR, frame, spoilt

ANSWER_BYTES = 8

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # on a loaded machine

values = st.tuples(*[st.integers(0, 0xFFFF)] * 9)
frames = st.builds(frame, values, version=st.integers(0, 255), error=st.integers(0, 255))
starts = st.sampled_from([b"\x42", b"\x42\x4d", b"\x42\x4d\x00\x1c", b"\x42\x4d\x00\x04", b"\x42\x4d\xff\xff"])
noise = st.one_of(st.binary(max_size=80), starts, frames.map(spoilt), frames.map(lambda whole: whole[:-5]))
wire = st.lists(st.one_of(noise, frames), max_size=12).map(b"".join)


def test_masses_are_those_of_the_atmosphere_and_not_those_of_the_factory() -> None:
    (particles,) = Decoder().feed(frame((10, 20, 30, 6, 5, 4, 3, 2, 1), version=0x97, error=3))

    assert particles == Particles((10, 20, 30, 6, 5, 4, 3, 2, 1), version=0x97, error=3)


def test_each_value_is_read_in_its_unit() -> None:
    (particles,) = Decoder().feed(frame(DIRTY_AIR))
    read = readings(SourceId("duct-dust"), particles, Instant(7), Quality.GOOD)

    assert {reading.quantity: reading.value for reading in read} == {
        Quantity.PM1: 60.0,
        Quantity.PM2_5: 110.0,
        Quantity.PM10: 140.0,
        Quantity.COUNT_0_3: 18000.0,
        Quantity.COUNT_0_5: 5200.0,
        Quantity.COUNT_1_0: 900.0,
        Quantity.COUNT_2_5: 120.0,
        Quantity.COUNT_5_0: 30.0,
        Quantity.COUNT_10: 9.0,
    }
    assert {(reading.at, reading.quality) for reading in read} == {(7, Quality.GOOD)}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (READ, "42 4d e2 00 00 01 71"),
        (PASSIVE, "42 4d e1 00 00 01 70"),
        (ACTIVE, "42 4d e1 00 01 01 71"),
        (SLEEP, "42 4d e4 00 00 01 73"),
        (WAKE, "42 4d e4 00 01 01 74"),
    ],
    ids=["read", "passive", "active", "sleep", "wake"],
)
def test_commands_are_those_of_the_manual(sent: bytes, expected: str) -> None:
    assert sent == bytes.fromhex(expected)


def test_the_answer_to_a_command_is_no_frame_and_no_noise() -> None:
    decoder = Decoder()

    assert decoder.feed(bytes.fromhex("42 4d 00 04 e4 01 01 78") + frame()) == [Particles(CLEAN_AIR, 0x97, 0)]
    assert (decoder.frames, decoder.noise_bytes, decoder.checksum_failures) == (2, 0, 0)


def test_a_disturbed_frame_is_counted_and_not_believed() -> None:
    decoder = Decoder()

    assert decoder.feed(spoilt(frame()) + frame(DIRTY_AIR)) == [Particles(DIRTY_AIR, 0x97, 0)]
    assert decoder.checksum_failures == 1
    assert decoder.noise_bytes == FRAME_BYTES


def test_a_frame_cut_off_by_a_new_one_is_lost_and_the_new_one_is_found() -> None:
    assert Decoder().feed(frame()[:20] + frame(DIRTY_AIR)) == [Particles(DIRTY_AIR, 0x97, 0)]


def test_half_a_frame_is_not_completed_with_what_comes_after_a_gap() -> None:
    decoder = Decoder()
    decoder.feed(frame()[:20])
    decoder.forget()

    assert decoder.feed(frame()[20:] + frame(DIRTY_AIR)) == [Particles(DIRTY_AIR, 0x97, 0)]
    assert decoder.checksum_failures == 0


@unhurried
@given(before=noise, sent=values, after=noise)
def test_a_good_frame_is_found_whatever_noise_is_around_it(before: bytes, sent: tuple[int, ...], after: bytes) -> None:
    heard = before + frame(sent)
    found = Decoder().feed(heard + after)

    hidden = any(parse(heard[i : i + FRAME_BYTES]) for i in range(len(heard) - FRAME_BYTES))  # noise that sums up
    assert hidden or Particles(sent, 0x97, 0) in found


@unhurried
@given(wire)
def test_no_frame_is_made_up(heard: bytes) -> None:
    there = [parse(heard[i : i + FRAME_BYTES]) for i in range(len(heard))]

    remaining = iter(there)
    assert all(particles in remaining for particles in Decoder().feed(heard))  # each is there, in the same order


@unhurried
@given(wire, st.lists(st.integers(0, 1000), max_size=20))
def test_it_does_not_matter_where_the_wire_is_cut(heard: bytes, cuts: list[int]) -> None:
    whole, pieces = Decoder(), Decoder()
    edges = [0, *sorted(min(cut, len(heard)) for cut in cuts), len(heard)]

    found = [particles for a, b in pairwise(edges) for particles in pieces.feed(heard[a:b])]

    assert found == whole.feed(heard)
    assert vars(pieces) == vars(whole)


@unhurried
@given(wire)
def test_every_byte_is_a_frame_s_or_noise_or_still_awaited_and_those_are_few(heard: bytes) -> None:
    decoder = Decoder()
    found = decoder.feed(heard)
    awaited = len(vars(decoder)["_buffer"])

    in_frames = FRAME_BYTES * len(found) + ANSWER_BYTES * (decoder.frames - len(found))
    assert in_frames + decoder.noise_bytes + awaited == len(heard)
    assert awaited < FRAME_BYTES
