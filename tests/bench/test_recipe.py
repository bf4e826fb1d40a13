from __future__ import annotations

from importlib.util import find_spec

import pytest

from bench.recipe import DIGITS, ONLY_SAID, PACKAGES, recipe
from model.training.sources import digest_of

pytestmark = pytest.mark.real


def test_a_recipe_names_the_code_and_what_it_learns_and_decodes_with() -> None:
    code, *others = recipe()

    assert code.startswith("code ")
    assert {"ai-edge-litert", "numpy", "pillow", "simplejpeg"} <= {line.split()[0] for line in others}
    assert "keras" in PACKAGES  # not installed here


def test_how_a_network_learns_is_in_the_recipe_and_how_it_is_told_is_not() -> None:
    code = recipe()[0].removeprefix("code ")

    without = digest_of(["model.training.command"], but_not=[*ONLY_SAID, "model.training.finetune"])
    assert without[:DIGITS] != code
    untold = digest_of(["model.training.command"], but_not=[*ONLY_SAID, "model.training.evaluation.report"])
    assert untold[:DIGITS] == code
    assert all(find_spec(name) for name in ONLY_SAID)
