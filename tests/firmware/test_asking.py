from __future__ import annotations

from pathlib import Path

import pytest

from firmware.asking import answered
from firmware.local.door import NAME

pytestmark = pytest.mark.real


def test_where_a_firmware_answers_is_asked_and_else_the_usual_place(tmp_path: Path) -> None:
    places = [tmp_path / "usual", tmp_path / "image"]
    for place in places:
        place.mkdir()

    assert answered(places) == places[0]
    (places[1] / NAME).touch()
    assert answered(places) == places[1]
    (places[0] / NAME).touch()
    assert answered(places) == places[0]
