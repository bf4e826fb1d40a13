"""Beside an image stands what made it."""

from __future__ import annotations

import shutil

import pytest

from hil.image.tools import TOOLS, tool_versions


@pytest.mark.real
@pytest.mark.skipif(shutil.which("mmdebstrap") is None, reason="what a board image is built with is not here")
def test_every_tool_says_which_it_is() -> None:
    said = tool_versions()

    assert TOOLS.keys() | {"python", "pip", "setuptools"} == said.keys()
    for line in said.values():
        assert any(letter.isdigit() for letter in line), said
