from __future__ import annotations

from dataclasses import replace

from drivers.camera.jpeg import encode_jpeg
from drivers.duct.optics import Optics
from drivers.duct.render import Renderer
from drivers.duct.scene import random_scene
from drivers.types import SourceId
from firmware.photography import Shot
from firmware.plan import DEFAULT_RULES, load_rules
from firmware.screen import Screen, screen
from model.types import Label
from tests.builders import at, frame, verdict

TRUE_COLOUR = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


def a_screen(lines: list[str], environment: dict[str, str], *, is_terminal: bool = True) -> Screen:
    return screen(
        lines.append,
        start=at(0),
        cameras=[SourceId("upstream")],
        rules=load_rules(DEFAULT_RULES),
        environment=environment,
        is_terminal=is_terminal,
    )


def seen(shown: Screen, payload: bytes) -> None:
    shown.see(Shot(replace(frame(payload=payload), width=320, height=240)))
    shown.show(verdict(Label.CLEAN))
    shown.end()


def picture() -> bytes:
    duct = Renderer(random_scene(4), 320, 240)
    return encode_jpeg(duct.render(mean_g_m2=0.1, light=1.0, optics=Optics(), frame_seed=1))


def test_a_colour_terminal_shows_what_the_camera_saw() -> None:
    lines: list[str] = []

    seen(a_screen(lines, TRUE_COLOUR), picture())

    assert sum("▀" in line for line in lines) > 8


def test_a_file_gets_lines_and_no_pictures() -> None:
    lines: list[str] = []

    seen(a_screen(lines, TRUE_COLOUR, is_terminal=False), picture())

    assert len(lines) == 1
    assert "CLEAN" in lines[0]
    assert "\x1b" not in lines[0]


def test_a_picture_that_does_not_decode_does_not_end_the_view() -> None:
    lines: list[str] = []

    seen(a_screen(lines, TRUE_COLOUR), b"\xff\xd8rubbish")

    assert any("CLEAN" in line for line in lines)
