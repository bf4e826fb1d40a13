"""Each device: absent, unplugged and back, hanging, rubbish. Whatever one does, the others go on."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import pytest

from hil.bench import Bench
from hil.ready import Ready
from hil.report import Report
from hil.rig.camera import CameraFault
from hil.rig.cp2112 import BridgeFault
from hil.rig.peers import PMSA003I
from hil.rig.pms5003 import DustFault

MANY = 1_000_000  # more than are read in a test
SENSORS = frozenset({"duct-gas", "duct-pm", "duct-pm-i2c"})
ON_I2C = frozenset({"duct-gas", "duct-pm-i2c"})
DELAY_MS = 500.0  # beyond twice what a verdict takes on a board that is well, emulated or not, somebody was delayed


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that goes wrong with `source`, and what puts it right."""

    source: str
    feature: str
    cause: Callable[[Bench], None]
    problem: str  # what the board says of it, a regular expression
    hurts: frozenset[str] = frozenset()  # the sensors that have to suffer with it

    def __str__(self) -> str:
        return self.source


def camera(fault: CameraFault) -> Callable[[Bench], None]:
    return lambda bench: bench.cameras["downstream"].fail(fault)


def dust(fault: DustFault) -> Callable[[Bench], None]:
    return lambda bench: bench.fail_dust(fault)


CAMERA_TROUBLES = {
    "unplugged": Trouble(
        "downstream", "plugs", lambda bench: bench.cameras["downstream"].unplug(), "unplugged|no camera"
    ),
    "hanging": Trouble("downstream", "camera-faults", camera(CameraFault.HUNG), "Input/output error|hangs|no picture"),
    "silent": Trouble("downstream", "camera-faults", camera(CameraFault.SILENT), "no picture"),
    "cut short": Trouble("downstream", "camera-faults", camera(CameraFault.TRUNCATED), "damaged"),
}
SENSOR_TROUBLES = {
    "gas, no answer": Trouble("duct-gas", "bus-faults", lambda bench: bench.silence(), "answer"),
    "particles on I2C, no answer": Trouble(
        "duct-pm-i2c", "bus-faults", lambda bench: bench.silence(PMSA003I), "answer"
    ),
    "gas, never done": Trouble("duct-gas", "bus-faults", lambda bench: bench.hang_air(), "no new measurement"),
    "particles on I2C, corrupt": Trouble(
        "duct-pm-i2c", "bus-faults", lambda bench: bench.disturb_fine_dust(MANY), "bad checksum"
    ),
    "I2C bus stuck": Trouble(
        "duct-gas", "bus-faults", lambda bench: bench.fail_bridge(BridgeFault.STUCK_BUS), "no answer in time", ON_I2C
    ),
    "I2C bridge unplugged": Trouble(
        "duct-gas", "bridge", lambda bench: bench.unplug_bridge(), "there is no /dev/i2c", ON_I2C
    ),
    "particles, silent": Trouble("duct-pm", "dust", dust(DustFault.SILENT), "silent"),
    "particles, noise": Trouble("duct-pm", "dust", dust(DustFault.NOISE), "noise"),
    "particles, corrupt": Trouble("duct-pm", "dust", dust(DustFault.CORRUPT), "disturbed"),
    "particles, cut short": Trouble("duct-pm", "dust", dust(DustFault.TRUNCATED), "noise"),
    "particles, a flood": Trouble("duct-pm", "dust", dust(DustFault.FLOOD), "noise"),
}


def marked(troubles: dict[str, Trouble]) -> list[object]:
    return [
        pytest.param(trouble, id=name, marks=pytest.mark.lg_feature(trouble.feature))
        for name, trouble in troubles.items()
    ]


@pytest.mark.parametrize("trouble", marked(CAMERA_TROUBLES))
def test_a_camera_in_trouble_is_reported_and_the_other_goes_on_judging(
    ready: Ready, report: Report, trouble: Trouble
) -> None:
    idle_ms, mark = median(ready.latencies_ms(since=0)), ready.mark()
    trouble.cause(ready.bench)

    said = ready.until_health("downstream", "failed", since=mark).fields
    during = ready.mark()
    ready.command("snapshot")
    ready.until_verdict("upstream", "CLEAN", since=during)

    assert re.search(trouble.problem, said["problem"])
    assert said["remedy"]
    meanwhile_ms = median(ready.latencies_ms(since=mark, of="upstream"))
    report.figure("latency of the other camera meanwhile", meanwhile_ms, "ms")
    assert meanwhile_ms <= 2 * idle_ms + DELAY_MS
    back = ready.mark()
    ready.bench.restore()
    ready.until_verdict("downstream", "CLEAN", since=back, limit_s=90)


@pytest.mark.parametrize("trouble", marked(SENSOR_TROUBLES))
def test_a_sensor_in_trouble_is_reported_and_delays_nobody(ready: Ready, report: Report, trouble: Trouble) -> None:
    idle_ms, mark = median(ready.latencies_ms(since=0)), ready.mark()
    trouble.cause(ready.bench)

    said = ready.until_health(trouble.source, "failed", since=mark).fields
    during = ready.mark()
    ready.command("snapshot")
    if trouble.feature != "bridge":  # the LED hangs on the bridge: without it the cameras see nothing
        ready.until_verdict("upstream", "CLEAN", since=during)
    ready.until_any_verdict("downstream", since=during)
    for other in SENSORS - trouble.hurts - {trouble.source}:
        ready.until_reading(other, since=during)

    assert re.search(trouble.problem, said["problem"])
    assert said["remedy"]
    meanwhile_ms = median(ready.latencies_ms(since=mark))
    report.figure("latency of verdicts meanwhile", meanwhile_ms, "ms")
    assert meanwhile_ms <= 2 * idle_ms + DELAY_MS
    back = ready.mark()
    ready.bench.restore()
    ready.until_reading(trouble.source, since=back, limit_s=90)


@pytest.mark.lg_feature(["camera-faults", "lines"])
@pytest.mark.parametrize(
    ("fault", "reason"),
    [(CameraFault.FROZEN, "frozen"), (CameraFault.CORRUPT, "unreadable")],
    ids=["frozen", "corrupt"],
)
def test_a_picture_that_is_none_of_the_duct_now_is_not_judged(ready: Ready, fault: CameraFault, reason: str) -> None:
    mark = ready.mark()
    ready.bench.cameras["downstream"].fail(fault)
    since_s = ready.board.uptime_s()
    for _ in range(2):  # a camera that froze in the dark is first of all dark: frozen is what was seen before
        asked_s = ready.board.uptime_s()
        ready.command("snapshot")
        verdict = ready.until_verdict_after(asked_s, "downstream", since=mark)

    assert reason in verdict["reasons"]
    ready.until_verdict("upstream", "CLEAN", since=mark)
    verdicts = [m.fields for m in ready.bench.messages.since(mark) if m.topic.endswith("/verdict/downstream")]
    assert {fields["label"] for fields in verdicts if fields["at_s"] > since_s} == {"CANNOT_TELL"}


@pytest.mark.lg_feature("plugs")
def test_an_unplugged_camera_has_its_link_back_when_it_is_plugged_in(ready: Ready) -> None:
    link = "/dev/v4l/by-id/usb-Ductwatch_Rig_Duct_Camera_CAMDOWN-video-index0"
    assert ready.board.tells(f"test -e {link}"), ready.board.run("ls /dev/v4l/by-id")

    ready.bench.cameras["downstream"].unplug()
    ready.board.until(lambda: not ready.board.tells(f"test -e {link}"), "the link is gone", 30)

    ready.bench.cameras["downstream"].plug()
    ready.board.until(lambda: ready.board.tells(f"test -e {link}"), "the link is back", 30)


@pytest.mark.lg_feature("bus-faults")
def test_a_bridge_that_hangs_holds_up_neither_the_particle_sensor_nor_the_cameras(ready: Ready) -> None:
    mark = ready.mark()
    ready.bench.fail_bridge(BridgeFault.HUNG)

    ready.until_health("duct-gas", "failed", since=mark)
    during = ready.mark()
    ready.until_reading("duct-pm", since=during)
    ready.until_any_verdict("upstream", since=during)
