"""The picture of what rules would have done is one, whatever the names in it."""

from __future__ import annotations

from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest

from drivers.types import SourceId
from firmware.rules.replay import Replayed, replay
from firmware.timeline import page, timeline
from tests.firmware.rules.builders import held, pm, rule

START = datetime(2026, 5, 1, 23, 59, 50, tzinfo=UTC)
DUSTY = rule(on_delay=held(60), tolerance_ns=held(300).ns)
SVG = "{http://www.w3.org/2000/svg}"


def drawn(replayed: Replayed) -> ElementTree.Element:
    return ElementTree.fromstring(timeline(replayed, [DUSTY], START))


def test_an_alarm_is_a_row_with_a_bar_for_the_time_that_it_stood() -> None:
    picture = drawn(replay([pm(50 if 100 <= second < 300 else 20, second) for second in range(400)], [DUSTY]))

    bars = [each for each in picture.iter(f"{SVG}rect") if each.get("fill", "").startswith("#d9a521")]
    texts = [each.text for each in picture.iter(f"{SVG}text")]
    assert len(bars) == 1
    assert float(bars[0].get("width", 0)) == pytest.approx(140 / 399 * (1200 - 260 - 90), abs=1)
    assert {"pm2_5_high", "duct-pm, medium", "1 time, 35 % of the time", "35 ug/m3"} <= set(texts)
    assert "00:00:00" in texts


def test_names_from_outside_stay_names() -> None:
    evil = SourceId('"><script>alert(1)</script>')
    replayed = replay([pm(50, second, evil) for second in range(100)], [DUSTY])

    shown = page(replayed, [DUSTY], START, ["<b>"])

    assert "<script>" not in shown
    assert "&lt;b&gt;" in shown


@pytest.mark.parametrize("samples", [[], [pm(50, 0)], [pm(None, 0), pm(None, 1000)]])
def test_of_next_to_nothing_there_is_a_picture_too(samples: list[object]) -> None:
    assert drawn(replay(samples, [DUSTY])).tag == f"{SVG}svg"  # type: ignore[arg-type]
