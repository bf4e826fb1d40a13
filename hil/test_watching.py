"""What the board does all day: it lights the duct, sees, judges, measures, and says so."""

from __future__ import annotations

import pytest

from drivers.camera.negotiate import Size
from drivers.types import PixelFormat
from firmware.config import SnapshotSettings
from hil.bench import now_ns
from hil.ready import Ready
from hil.report import Report
from hil.rig.lines import Line
from hil.rig.peers import CAMERAS
from hil.rig.pictures import BARS, COVERED, DIRTY, FOGGED, NUDGED, Scene
from hil.rig.plantower import DIRTY_AIR
from hil.rig.uvc import HD, QVGA
from model.viewpoint import KNOWN_AFTER

PERIOD_S = 3.5  # of snapshots: rig.toml
MOVED_AT_MOST = SnapshotSettings().moved_at_most
SURELY_S = 0.3  # before the next by the clock, it is none of it
pictures = pytest.mark.lg_feature(["pictures", "broker"])


@pictures
@pytest.mark.lg_feature("lines")
def test_a_dirty_picture_on_both_cameras_raises_the_alarm_and_pulls_the_relay(ready: Ready, report: Report) -> None:
    mark = ready.mark()
    ready.bench.show(DIRTY)
    shown_ns = now_ns()

    ready.until_verdict("upstream", "DIRTY", since=mark)
    report.figure("picture to verdict on the broker", (now_ns() - shown_ns) / 1e9, "s")
    for camera in CAMERAS:
        ready.until_alarm("dirty_duct", camera, active=True, since=mark)
    report.figure("picture to alarm on the broker, 3 of 4 snapshots", (now_ns() - shown_ns) / 1e9, "s")
    ready.bench.lines.until(Line.RELAY, True, 10)


@pictures
def test_one_dirty_side_raises_an_alarm_for_that_side_only(ready: Ready) -> None:
    mark = ready.mark()
    ready.bench.cameras["downstream"].show(DIRTY)

    ready.raise_dirty("downstream", since=mark)

    raised = {message.topic for message in ready.bench.messages.since(mark) if "/alarm/dirty_duct/" in message.topic}
    assert raised == {"ductwatch/rig/alarm/dirty_duct/downstream"}


@pictures
@pytest.mark.lg_feature("lines")
def test_a_latched_alarm_and_its_relay_stay_until_somebody_resets_them(ready: Ready) -> None:
    mark = ready.mark()
    ready.bench.show(DIRTY)
    for camera in CAMERAS:
        ready.raise_dirty(camera, since=mark)
    ready.bench.restore()
    for _ in range(4):
        ready.snapshot("CLEAN")
    assert ready.bench.lines.level(Line.RELAY)

    mark = ready.mark()
    ready.command("reset")

    for camera in CAMERAS:
        ready.until_alarm("dirty_duct", camera, active=False, since=mark)
    ready.bench.lines.until(Line.RELAY, False, 10)


@pytest.mark.lg_feature("emulated")
@pytest.mark.parametrize(
    ("pixel_format", "size"), [(PixelFormat.MJPEG, HD), (PixelFormat.YUYV, QVGA)], ids=["MJPEG, large", "YUYV, small"]
)
def test_cameras_of_other_sizes_and_formats_are_judged_too(ready: Ready, pixel_format: PixelFormat, size: Size) -> None:
    width = f'formats = ["{pixel_format.value}"]\\nwidth = {size.width}'
    with ready.other_configuration(("width = 640", width), ("height = 480", f"height = {size.height}")):
        ready.pause_after_snapshot()
        since_ns = now_ns()
        ready.snapshot("CLEAN")
        ready.bench.show(DIRTY)
        ready.snapshot("DIRTY")

        for camera in ready.bench.cameras.values():
            sent = {(frame.pixel_format, frame.size) for frame in camera.sent if frame.at_ns > since_ns}
            assert sent == {(pixel_format, size)}


@pytest.mark.lg_feature(["lines", "pictures"])
def test_the_led_is_on_in_the_lit_frames_and_off_in_the_dark_one(ready: Ready) -> None:
    ready.pause_after_snapshot()
    since_ns = now_ns()

    ready.snapshot("CLEAN")

    for camera in ready.bench.cameras.values():
        lights = [frame.light for frame in camera.sent if frame.at_ns > since_ns]
        assert lights[0] == 0.0
        assert 1.0 in lights
    ready.bench.lines.until(Line.LED, False, 10)


@pytest.mark.lg_feature("lines")
def test_one_snapshot_of_both_cameras_takes_one_light(ready: Ready, report: Report) -> None:
    ready.pause_after_snapshot()
    since_ns = now_ns()

    ready.snapshot("CLEAN")

    ready.bench.lines.until(Line.LED, False, 10)
    on, off = [edge.at_ns for edge in ready.bench.lines.edges if edge.line == Line.LED and edge.at_ns > since_ns][:2]
    for camera in ready.bench.cameras.values():
        assert any(frame.light == 1.0 and on < frame.at_ns < off for frame in camera.sent)
    report.figure("light on", (off - on) / 1e9, "s")


@pictures
@pytest.mark.parametrize(
    ("scene", "reasons"),
    [(FOGGED, {"fogged"}), (COVERED, {"dark", "unlit"}), (BARS, {"blurred"})],
    ids=["fogged lens", "covered lens", "no duct"],
)
def test_a_camera_that_cannot_see_the_duct_is_never_called_clean(ready: Ready, scene: Scene, reasons: set[str]) -> None:
    mark = ready.mark()
    ready.bench.show(scene)
    shown_s = ready.board.uptime_s()
    ready.command("snapshot")

    verdict = ready.until_verdict_after(shown_s, "upstream", since=mark)

    assert verdict["label"] != "CLEAN"
    assert reasons <= set(verdict["reasons"])


@pictures
def test_a_nudged_camera_is_not_judged_until_its_new_view_is_known(ready: Ready) -> None:
    for _ in range(KNOWN_AFTER):
        ready.snapshot("CLEAN")
    mark, nudged_s = ready.mark(), ready.board.uptime_s()

    ready.bench.cameras["upstream"].show(NUDGED)

    ready.until_alarm("camera_moved", "upstream", active=True, since=mark)
    ready.until_verdict("upstream", "CLEAN", since=ready.mark())
    seen = [message.fields for message in ready.bench.messages.since(mark) if "/verdict/upstream" in message.topic]
    of_new_view = [verdict for verdict in seen if verdict["at_s"] > nudged_s and verdict["label"] != "CLEAN"]
    assert [verdict["reasons"] for verdict in of_new_view] == [["moved"]] * MOVED_AT_MOST


@pictures
@pytest.mark.lg_feature("lines")
def test_a_dead_led_is_noticed_and_not_taken_for_a_clean_duct(ready: Ready) -> None:
    mark = ready.mark()
    ready.bench.break_led()
    broken_s = ready.board.uptime_s()
    ready.command("snapshot")

    for camera in CAMERAS:
        verdict = ready.until_verdict_after(broken_s, camera, since=mark)
        assert verdict["label"] == "CANNOT_TELL"
        assert "unlit" in verdict["reasons"]


@pytest.mark.lg_feature("air")
@pytest.mark.parametrize(
    ("quantity", "value"), [("temperature", 31.5), ("humidity", 63.0), ("pressure", 913.0), ("gas_resistance", 45678.0)]
)
def test_what_the_air_is_like_arrives_as_it_is(ready: Ready, quantity: str, value: float) -> None:
    mark = ready.mark()

    ready.bench.set_air(**{quantity: value})

    ready.until_reading("duct-gas", since=mark, **{quantity: value})


@pytest.mark.lg_feature("dust")
def test_dust_arrives_as_it_is(ready: Ready) -> None:
    mark = ready.mark()

    ready.bench.set_dust(DIRTY_AIR)

    ready.until_reading("duct-pm", since=mark, pm2_5=float(DIRTY_AIR[1]))


@pytest.mark.lg_feature("lines")
def test_the_fan_contact_is_seen_closing_and_opening(ready: Ready) -> None:
    for closed, running in ((False, 1.0), (None, 0.0)):
        mark = ready.mark()
        ready.bench.lines.drive(Line.FAN, closed)
        ready.until_reading("fan", since=mark, fan_running=running)


@pytest.mark.lg_feature(["lines", "pictures"])
def test_a_press_of_the_button_takes_a_snapshot_at_once(ready: Ready, report: Report) -> None:
    ready.until_snapshots(2)  # of which nobody asked for the second
    ready.pause_after_snapshot()
    by_clock_ns = ready.lights(True, since_ns=0)[-1].at_ns
    mark, pressed_ns = ready.mark(), now_ns()

    ready.bench.lines.press(Line.BUTTON, 0.5)

    ready.until_any_verdict("upstream", since=mark)
    assert ready.lights(True, since_ns=pressed_ns)[0].at_ns < by_clock_ns + (PERIOD_S - SURELY_S) * 1e9
    report.figure("button to verdict on the broker", (now_ns() - pressed_ns) / 1e9, "s")
