"""docs/cleaning.md says what the firmware does."""

from __future__ import annotations

import re
from pathlib import Path

from firmware.cleaning.settings import CleaningSettings
from firmware.config import parse

PAGE = (Path(__file__).parents[2] / "docs" / "cleaning.md").read_text(encoding="utf-8")


def test_the_settings_shown_are_the_defaults() -> None:
    (shown,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)

    assert parse(shown, Path("docs/cleaning.md")).cleaning == CleaningSettings()
    assert {line.split(" = ")[0] for line in shown.splitlines()[1:]} == set(CleaningSettings.__struct_fields__)


def test_the_numbers_in_the_text_are_the_defaults() -> None:
    defaults = CleaningSettings()

    assert f"after {defaults.snapshots_at_most} snapshots" in PAGE
    assert defaults.clean_snapshots == 3
    assert "Three clean ones in a row" in PAGE
    assert f"ends by itself {defaults.longest / 3600:g} h after its start" in PAGE
