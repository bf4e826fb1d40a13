from __future__ import annotations

import re

import pytest

from drivers.simulated.faults import Fault, Faults, PlannedFault, check_devices, explain, parse_fault
from drivers.types import NS_PER_S, SourceId

S = NS_PER_S
UPSTREAM = SourceId("upstream")


@pytest.mark.parametrize(
    ("text", "planned"),
    [
        ("camera-blind", PlannedFault(fault=Fault.CAMERA_BLIND)),
        ("lens-fog@20s", PlannedFault(fault=Fault.LENS_FOG, start_ns=20 * S)),
        ("sensor-dead@20s+30s", PlannedFault(fault=Fault.SENSOR_DEAD, start_ns=20 * S, end_ns=50 * S)),
        ("camera-blind:upstream", PlannedFault(fault=Fault.CAMERA_BLIND, device=UPSTREAM)),
        (
            "camera-frozen:upstream@1.5min+2h",
            PlannedFault(fault=Fault.CAMERA_FROZEN, device=UPSTREAM, start_ns=90 * S, end_ns=7290 * S),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_fault_is_read_with_its_device_its_start_and_its_duration(text: str, planned: PlannedFault) -> None:
    assert parse_fault(text) == planned


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.title)
def test_every_fault_can_be_asked_for_by_its_name_and_has_a_line_of_help(fault: Fault) -> None:
    assert parse_fault(fault.title).fault is fault
    assert any(line.split(maxsplit=1) == [fault.title, fault.explanation] for line in explain().splitlines())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("camera-blnd", "Did you mean camera-blind?"),
        ("gremlins", "There are: camera-blind, camera-frozen"),
        ("", "is not a fault: write NAME"),
        ("lens-fog@", "is not a fault: write NAME"),
        ("lens-fog@soon", "'soon' is not a duration"),
        ("lens-fog@20", "'20' is not a duration"),
        ("lens-fog@20s+ever", "'ever' is not a duration"),
        ("lens-fog+20s", "is not a fault: write NAME"),
        ("broker-down:upstream", "concerns the whole board: leave out ':upstream'"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_write_instead(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        parse_fault(text)


@pytest.mark.parametrize(("second", "since"), [(19.9, None), (20, 20), (49.9, 20), (50, None)])
def test_a_fault_holds_from_its_start_until_its_end(second: float, since: float | None) -> None:
    faults = Faults([parse_fault("sensor-dead@20s+30s")])

    since_ns = faults.since_ns(Fault.SENSOR_DEAD, SourceId("duct-gas"), round(second * S))

    assert since_ns == (None if since is None else since * S)


def test_a_fault_of_one_camera_leaves_the_other_alone() -> None:
    faults = Faults([parse_fault("camera-blind:upstream")])

    assert faults.since_ns(Fault.CAMERA_BLIND, UPSTREAM, 0) == 0
    assert faults.since_ns(Fault.CAMERA_BLIND, SourceId("downstream"), 0) is None
    assert faults.since_ns(Fault.CAMERA_FROZEN, UPSTREAM, 0) is None


def test_a_fault_of_a_device_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValueError, match=r"no such device\. Name a camera: downstream, upstream"):
        check_devices([parse_fault("camera-blind:upstraem")], cameras=["upstream", "downstream"], sensors=["duct-gas"])


def test_faults_of_present_devices_and_of_all_are_accepted() -> None:
    faults = [parse_fault(text) for text in ("camera-blind:upstream", "sensor-dead:duct-gas", "lens-fog", "fan-off")]

    check_devices(faults, cameras=["upstream"], sensors=["duct-gas"])
