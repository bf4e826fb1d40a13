from __future__ import annotations

from fractions import Fraction

import pytest

from drivers.camera.negotiate import (
    Choice,
    NoMatch,
    Offer,
    Rates,
    Size,
    Steps,
    choose_picture,
    choose_rate,
    describe,
)
from drivers.types import PixelFormat

MJPEG, YUYV = PixelFormat.MJPEG, PixelFormat.YUYV
HD = Size(1280, 720)


def offer(*sizes: Size | Steps, pixel_format: PixelFormat = MJPEG) -> Offer:
    return Offer(pixel_format, sizes)


def steps(smallest: Size, largest: Size, step: int) -> Steps:
    return Steps(smallest, largest, Size(step, step))


@pytest.mark.parametrize(
    ("sizes", "chosen", "reason"),
    [
        pytest.param([Size(640, 480), HD], HD, "", id="the size itself"),
        pytest.param(
            [Size(1920, 1080), Size(2560, 1440), Size(1280, 800)],
            Size(1920, 1080),
            "1280x720 is not offered: the next larger of the same shape",
            id="the next larger of the same shape, though another is nearer",
        ),
        pytest.param(
            [Size(640, 360), Size(1280, 960), Size(640, 480)],
            Size(1280, 960),
            "1280x720 is not offered: the nearest",
            id="the nearest, where no larger has the shape",
        ),
        pytest.param([Size(160, 120)], Size(160, 120), "1280x720 is not offered: the nearest", id="all it has"),
        pytest.param([steps(Size(16, 16), Size(1920, 1080), 2)], HD, "", id="on the grid of a range"),
        pytest.param(
            [steps(Size(0, 0), Size(4096, 4096), 256)],
            Size(4096, 2304),
            "1280x720 is not offered: the next larger of the same shape",
            id="the next larger on a coarse grid",
        ),
        pytest.param(
            [steps(Size(32, 32), Size(1000, 1000), 32)],
            Size(992, 736),
            "1280x720 is not offered: the nearest",
            id="a range that ends below the wish",
        ),
        pytest.param([steps(Size(16, 16), Size(1920, 1080), 0)], HD, "", id="a step of 0 is a step of 1"),
        pytest.param([steps(HD, HD, 1)], HD, "", id="a range of one size"),
        pytest.param([], HD, "", id="a driver that lists no sizes is asked for the wish"),
    ],
)
def test_size(sizes: list[Size | Steps], chosen: Size, reason: str) -> None:
    assert choose_picture([offer(*sizes)], [MJPEG], HD) == Choice(MJPEG, chosen, reason)


@pytest.mark.parametrize(
    ("offered", "formats", "chosen", "reason"),
    [
        pytest.param([YUYV, MJPEG], [MJPEG, YUYV], MJPEG, "", id="the first wish"),
        pytest.param([YUYV], [MJPEG, YUYV], YUYV, "MJPG is not offered", id="the second wish"),
        pytest.param([YUYV, MJPEG], [YUYV, MJPEG], YUYV, "", id="the wishes count, not the camera's order"),
    ],
)
def test_format(offered: list[PixelFormat], formats: list[PixelFormat], chosen: PixelFormat, reason: str) -> None:
    offers = [offer(HD, pixel_format=pixel_format) for pixel_format in offered]

    assert choose_picture(offers, formats, HD) == Choice(chosen, HD, reason)


@pytest.mark.parametrize(
    ("offers", "said"),
    [
        pytest.param([], "offers no MJPG, only other formats", id="neither format"),
        pytest.param([offer(HD, pixel_format=YUYV)], "offers no MJPG, only YUYV", id="not the wished one"),
    ],
)
def test_a_camera_without_a_usable_format_says_what_it_has(offers: list[Offer], said: str) -> None:
    with pytest.raises(NoMatch, match=f"^{said}$"):
        choose_picture(offers, [MJPEG], HD)


@pytest.mark.parametrize(
    ("rates", "chosen", "said"),
    [
        pytest.param(Rates([Fraction(30), Fraction(20), Fraction(15), Fraction(5)]), 15, "", id="the wish"),
        pytest.param(Rates([Fraction(30), Fraction(24)]), 24, "", id="the slowest that is fast enough"),
        pytest.param(
            Rates([Fraction(30), Fraction(10_000_000, 666_667)]),
            Fraction(10_000_000, 666_667),
            "",
            id="as near as whole units of 100 ns come",
        ),
        pytest.param(
            Rates([Fraction(15, 2), Fraction(5)]),
            Fraction(15, 2),
            "7.5/s is the fastest at this size, 15/s was wanted",
            id="the fastest of too slow ones",
        ),
        pytest.param(Rates(slowest=Fraction(1), fastest=Fraction(60)), 15, "", id="in a range"),
        pytest.param(Rates(slowest=Fraction(25), fastest=Fraction(60)), 25, "", id="below a range"),
        pytest.param(Rates(), None, "", id="the camera names none"),
        pytest.param(Rates([Fraction(0)]), None, "", id="a rate of 0 is none"),
    ],
)
def test_rate(rates: Rates, chosen: Fraction | None, said: str) -> None:
    assert choose_rate(rates, Fraction(15)) == (chosen, said)


def test_a_driver_that_takes_another_size_than_it_lists_is_said() -> None:
    choice = Choice(MJPEG, HD, "")

    assert choice.granted(HD) == choice
    assert choice.granted(Size(640, 480)).reason == "the driver does not take 1280x720"


def test_what_was_chosen_is_said_in_one_line() -> None:
    plain = Choice(MJPEG, HD, "")
    other = Choice(YUYV, Size(640, 480), "MJPG is not offered")

    assert describe("UVC HD Camera", plain, Fraction(30)) == "UVC HD Camera, 1280x720 MJPG, 30/s"
    assert (
        describe("Cam", other, None, ["", "gain 3 refused"])
        == "Cam, 640x480 YUYV (MJPG is not offered; gain 3 refused)"
    )
