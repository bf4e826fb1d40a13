from __future__ import annotations

import pytest

from drivers.camera.integrity import BUF_FLAG_TIMESTAMP_MONOTONIC, Corrupt, captured_ns, whole_mjpeg, whole_yuyv

PICTURE = b"\xff\xd8 tables and scan \xff\xd9"
ARRIVED_NS = 5_000_000_000


@pytest.mark.parametrize("padding", [b"", b"\0" * 512, b"\xff\xff", b"left over from before"])
def test_padding_behind_a_picture_is_cut(padding: bytes) -> None:
    assert whole_mjpeg(PICTURE + padding) == PICTURE


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(b"", "no start of image", id="nothing at all"),
        pytest.param(PICTURE[2:], "no start of image", id="head missing"),
        pytest.param(PICTURE[:-2], "no end of image", id="cut off"),
        pytest.param(b"\0" * 900, "no start of image", id="zeros"),
    ],
)
def test_half_an_mjpeg_picture_is_not_handed_out(data: bytes, said: str) -> None:
    with pytest.raises(Corrupt, match=said):
        whole_mjpeg(data)


@pytest.mark.parametrize(
    ("data", "stride", "rows"),
    [
        pytest.param(b"aaaabbbb", 4, b"aaaabbbb", id="rows without padding"),
        pytest.param(b"aaaabbbb+", 4, b"aaaabbbb", id="more than needed"),
        pytest.param(b"aaaabbbb", 0, b"aaaabbbb", id="a driver that gives no stride"),
        pytest.param(b"aaaa--bbbb--", 6, b"aaaabbbb", id="padded rows"),
        pytest.param(b"aaaa--bbbb", 6, b"aaaabbbb", id="last row not padded"),
    ],
)
def test_yuyv_rows_come_without_padding(data: bytes, stride: int, rows: bytes) -> None:
    assert whole_yuyv(data, width=2, height=2, stride=stride) == rows


def test_a_short_yuyv_picture_is_not_handed_out() -> None:
    with pytest.raises(Corrupt, match="short: 7 of 8 bytes"):
        whole_yuyv(b"aaaabbb", width=2, height=2, stride=4)


@pytest.mark.parametrize(
    ("flags", "seconds", "microseconds", "expected"),
    [
        pytest.param(BUF_FLAG_TIMESTAMP_MONOTONIC, 4, 990_001, 4_990_001_000, id="the kernel's stamp"),
        pytest.param(BUF_FLAG_TIMESTAMP_MONOTONIC | 0x10001, 4, 0, 4_000_000_000, id="other flags do not matter"),
        pytest.param(0, 4, 0, ARRIVED_NS, id="unknown clock"),
        pytest.param(0x4000, 4, 0, ARRIVED_NS, id="copied from elsewhere"),
        pytest.param(BUF_FLAG_TIMESTAMP_MONOTONIC, 6, 0, ARRIVED_NS, id="in the future"),
        pytest.param(BUF_FLAG_TIMESTAMP_MONOTONIC, 0, 0, ARRIVED_NS, id="never filled in"),
    ],
)
def test_when_a_picture_was_taken(flags: int, seconds: int, microseconds: int, expected: int) -> None:
    assert captured_ns(flags, seconds, microseconds, arrived_ns=ARRIVED_NS) == expected
