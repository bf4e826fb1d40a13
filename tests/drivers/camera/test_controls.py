from __future__ import annotations

import pytest

from drivers.camera.controls import Control, Plan, Range, Wish, plan

UVC = {
    Control.EXPOSURE_MODE: Range(0, 3, choices=frozenset({1, 3})),
    Control.EXPOSURE_100_US: Range(3, 2047),
    Control.GAIN: Range(0, 100, step=8),
    Control.AUTO_WHITE_BALANCE: Range(0, 1),
    Control.WHITE_BALANCE_KELVIN: Range(2800, 6500),
}
NAMES = {
    Control.EXPOSURE_MODE: "mode",
    Control.EXPOSURE_100_US: "exposure",
    Control.AUTO_GAIN: "auto gain",
    Control.GAIN: "gain",
    Control.AUTO_WHITE_BALANCE: "auto white",
    Control.WHITE_BALANCE_KELVIN: "white",
}


def spoken(planned: Plan) -> list[tuple[str, int]]:
    return [(NAMES[control], value) for control, value in planned.values]


@pytest.mark.parametrize(
    ("wish", "offered", "values"),
    [
        pytest.param(Wish(), UVC, [("mode", 3), ("auto white", 1)], id="automatic by aperture priority"),
        pytest.param(
            Wish(),
            {Control.EXPOSURE_MODE: Range(0, 1, choices=frozenset({0, 1})), Control.AUTO_GAIN: Range(0, 1)},
            [("mode", 0), ("auto gain", 1)],
            id="fully automatic",
        ),
        pytest.param(Wish(exposure_s=0.008), UVC, [("mode", 1), ("exposure", 80), ("auto white", 1)], id="8 ms"),
        pytest.param(
            Wish(white_balance_kelvin=4600), UVC, [("mode", 3), ("auto white", 0), ("white", 4600)], id="4600 K"
        ),
        pytest.param(Wish(), {}, [], id="a camera without controls"),
    ],
)
def test_mode_comes_before_the_value_that_it_frees(
    wish: Wish, offered: dict[Control, Range], values: list[tuple[str, int]]
) -> None:
    assert spoken(plan(wish, offered)) == values
    assert plan(wish, offered).notes == ()


@pytest.mark.parametrize(
    ("wish", "offered", "notes"),
    [
        pytest.param(Wish(gain=20), UVC, ("gain 16 instead of 20",), id="between two steps"),
        pytest.param(Wish(exposure_s=1), UVC, ("exposure 2047 x 0.1 ms instead of 10000",), id="too long"),
        pytest.param(Wish(gain=20), {}, ("gain 20 cannot be set on this camera",), id="no such control"),
    ],
)
def test_a_value_that_the_camera_cannot_take_is_said(
    wish: Wish, offered: dict[Control, Range], notes: tuple[str, ...]
) -> None:
    assert plan(wish, offered).notes == notes
