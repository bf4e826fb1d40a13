from __future__ import annotations

from importlib.util import find_spec

import pytest

from bench.recipe import DIGITS, ONLY_SAID, recipe, versions
from model.training.sources import digest_of

pytestmark = pytest.mark.real


def test_a_recipe_names_the_code_and_what_it_learns_and_decodes_with() -> None:
    code, *others = recipe()

    assert code.startswith("code ")
    assert {"numpy", "pillow", "simplejpeg"} <= {line.split()[0] for line in others}


def test_how_a_network_learns_is_in_the_recipe_and_how_it_is_told_is_not() -> None:
    code = recipe()[0].removeprefix("code ")

    without = digest_of(["model.training.command"], but_not=[*ONLY_SAID, "model.training.finetune"])
    assert without[:DIGITS] != code
    untold = digest_of(["model.training.command"], but_not=[*ONLY_SAID, "model.training.evaluation.report"])
    assert untold[:DIGITS] == code
    assert all(find_spec(name) for name in ONLY_SAID)


def test_packages_that_are_not_installed_are_not_named() -> None:
    assert [line.split()[0] for line in versions(["numpy", "no-such-package"])] == ["numpy"]
