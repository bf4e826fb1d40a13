"""Every control takes what it offers, refuses what it does not, and can be told to the page."""

from __future__ import annotations

import json

import pytest

from drivers.plantower import FRAME_BYTES
from hil.play.controls import CONTROLS, PRESSES, Choice, Control, Range, Switch, Unfit, described, offered, pm_values
from hil.rig.bme680 import TEMPERATURES_C
from hil.rig.camera import CameraFault
from hil.rig.cp2112 import BridgeFault
from hil.rig.pictures import BARS, SCENES
from hil.rig.plantower import CLEAN_AIR, frame
from hil.rig.pms5003 import DustFault

every = pytest.mark.parametrize("control", CONTROLS.values(), ids=list(CONTROLS))


@every
def test_a_healthy_bench_is_within_what_the_control_allows(control: Control) -> None:
    assert control.kind.accept(control.start) == control.start


@every
@pytest.mark.parametrize("value", [None, [], {}, "no such thing", 10**9], ids=repr)
def test_what_does_not_fit_is_refused_with_what_does(control: Control, value: object) -> None:
    with pytest.raises(Unfit, match="use "):
        control.kind.accept(value)


@pytest.mark.parametrize("value", [True, float("nan"), -40.5, 85.1])
def test_a_temperature_is_a_number_that_the_sensor_can_measure(value: object) -> None:
    with pytest.raises(Unfit):
        Range(*TEMPERATURES_C, 0.5, "°C").accept(value)


@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("upstream.fault", {fault.name for fault in CameraFault}),
        ("bridge.fault", {fault.name for fault in BridgeFault}),
        ("dust.fault", {fault.name for fault in DustFault}),
        ("downstream.scene", set(SCENES)),
    ],
)
def test_every_fault_and_scene_of_the_rig_can_be_chosen(name: str, offered: set[str]) -> None:
    kind = CONTROLS[name].kind

    assert isinstance(kind, Choice)
    assert set(kind.options) == offered


def test_a_scene_that_is_offered_can_be_chosen_for_both_cameras() -> None:
    kinds = [CONTROLS[f"{camera}.scene"].kind for camera in ("upstream", "downstream")]
    with offered({"photo attic": BARS}):
        assert [kind.accept("photo attic") for kind in kinds] == ["photo attic"] * 2
        assert "photo attic" in json.dumps(described())

    with pytest.raises(Unfit):
        kinds[0].accept("photo attic")


def test_the_page_gets_the_whole_table() -> None:
    table = json.loads(json.dumps(described()))

    assert [control["name"] for control in table["controls"]] == list(CONTROLS)
    assert [press["name"] for press in table["presses"]] == list(PRESSES)
    assert {control["kind"] for control in table["controls"]} == {kind.__name__ for kind in (Choice, Range, Switch)}


@pytest.mark.parametrize("pm2_5", [0, 5, 500])
def test_dust_makes_a_frame_that_a_sensor_could_send(pm2_5: float) -> None:
    values = pm_values(pm2_5)

    assert values[1] == pm2_5
    assert len(frame(values)) == FRAME_BYTES


def test_air_like_the_clean_one_is_the_clean_one() -> None:
    assert pm_values(5) == CLEAN_AIR
