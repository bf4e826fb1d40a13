from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.types import PixelFormat
from hil.rig.uvc import AGREEMENT, HD, PAYLOAD_BYTES, VGA, Agreement, agree, camera_descriptors, payloads
from hil.rig.uvc_controls import CONTROLS


def walked(configuration: bytes) -> list[bytes]:
    """Each descriptor by its own length, as the kernel walks them: a wrong one would let it lose its way."""
    found, at = [], 0
    while at < len(configuration):
        length = configuration[at]
        assert length >= 2
        found.append(configuration[at : at + length])
        assert len(found[-1]) == length
        at += length
    return found


DESCRIPTORS = walked(camera_descriptors("CAM1", "Duct Camera").configuration())


def class_specific(interface_subclass: int, kind: int) -> list[bytes]:
    """Of the control (1) or the streaming (2) interface."""
    found, subclass = [], 0
    for descriptor in DESCRIPTORS:
        if descriptor[1] == 4:
            subclass = descriptor[6]
        if descriptor[1] == 0x24 and descriptor[2] == kind and subclass == interface_subclass:
            found.append(descriptor)
    return found


@pytest.mark.parametrize(("subclass", "first_length"), [(1, 13), (2, 15)], ids=["control", "streaming"])
def test_a_header_counts_what_follows_it(subclass: int, first_length: int) -> None:
    (header,) = class_specific(subclass, 0x01)
    at = DESCRIPTORS.index(header)
    total = 0
    for descriptor in DESCRIPTORS[at:]:
        if descriptor[1] != 0x24:
            break
        total += len(descriptor)

    assert len(header) == first_length
    assert int.from_bytes(header[5:7] if subclass == 1 else header[4:6], "little") == total


def test_light_goes_from_the_camera_through_the_processing_unit_to_the_stream() -> None:
    ((camera,), (processing,), (output,)) = (class_specific(1, kind) for kind in (0x02, 0x05, 0x03))

    assert (len(camera), len(processing), len(output)) == (18, 12, 9)
    assert (processing[4], output[7]) == (camera[3], processing[3])
    assert int.from_bytes(camera[4:6], "little") == 0x0201
    assert class_specific(2, 0x01)[0][8] == output[3]


def test_each_control_that_a_unit_claims_is_one_that_is_answered() -> None:
    (camera,), (processing,) = class_specific(1, 0x02), class_specific(1, 0x05)
    claimed = (
        {  # bit numbers to selectors: tables
            (1, {1: 0x02, 3: 0x04}[bit]) for bit in range(24) if int.from_bytes(camera[15:18], "little") >> bit & 1
        }
        | {(2, {0: 0x02, 9: 0x04}[bit]) for bit in range(16) if int.from_bytes(processing[8:10], "little") >> bit & 1}
    )

    assert claimed == set(CONTROLS)


@pytest.mark.parametrize(("kind", "frame_kind"), [(0x06, 0x07), (0x04, 0x05)], ids=["MJPEG", "YUYV"])
def test_a_format_counts_its_frames_and_a_frame_its_intervals(kind: int, frame_kind: int) -> None:
    (form,) = class_specific(2, kind)
    frames = class_specific(2, frame_kind)

    assert len(form) == {0x06: 11, 0x04: 27}[kind]
    assert form[4] == len(frames) == 3
    for frame in frames:
        intervals = struct.unpack(f"<{frame[25]}I", frame[26:])
        width, height = struct.unpack_from("<HH", frame, 5)
        default, largest = struct.unpack_from("<I", frame, 21)[0], struct.unpack_from("<I", frame, 17)[0]
        assert list(intervals) == sorted(intervals)
        assert default in intervals
        assert largest == width * height * 2


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 2**32 - 1))
def test_whatever_is_wished_for_something_offered_is_agreed_on(form: int, frame: int, interval: int) -> None:
    agreed = agree(AGREEMENT.pack(1, form, frame, interval, *[0] * 12))

    assert agreed.interval in agreed.intervals
    assert len(agreed.pack()) == 34
    assert agree(agreed.pack()) == agreed


def test_what_is_offered_is_granted() -> None:
    assert agree(Agreement(2, 3, 1_000_000).pack()) == Agreement(2, 3, 1_000_000)
    assert (Agreement(2, 3).pixel_format, Agreement(2, 3).size) == (PixelFormat.YUYV, HD)
    assert (Agreement(1, 1).pixel_format, Agreement(1, 1).size) == (PixelFormat.MJPEG, VGA)


@given(st.binary(min_size=1, max_size=5 * PAYLOAD_BYTES))
def test_a_frame_is_carried_whole_and_only_its_last_payload_ends_it(frame: bytes) -> None:
    carried = payloads(frame, odd=True, at_ns=1_234_567_890)

    assert b"".join(payload[12:] for payload in carried) == frame
    assert all(len(payload) <= PAYLOAD_BYTES for payload in carried)
    assert [payload[1] & 0x02 for payload in carried] == [0] * (len(carried) - 1) + [2]
    assert {payload[1] & ~0x02 for payload in carried} == {0x8D}
