"""`python -m hil.image` says by its exit code whether the image may be handed on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hil.image.__main__ import MAX_COMPRESSED_BYTES, main, parser
from tests.hil.image.test_build import Mirror

pytestmark = pytest.mark.real


def test_an_image_that_is_too_large_to_be_downloaded_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    image = Mirror(tmp_path, monkeypatch).image
    arguments = parser().parse_args(["--out", str(image.out)])

    assert main(arguments) == 0
    os.truncate(image.beside(".zst"), MAX_COMPRESSED_BYTES + 1)
    assert main(arguments) == 1
    assert "more than 450 MB!" in capsys.readouterr().out


def test_the_help_names_the_bound(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["--help"])
    assert "450 MB" in capsys.readouterr().out
