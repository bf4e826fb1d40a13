"""What older code made is known by a digest of the sources that decide it."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.training.sources import digest_of, versions

pytestmark = pytest.mark.real

RENDERER = """
\"\"\"Draws.\"\"\"
from ours import parts
from ours.light import BRIGHT

def draw():
    \"\"\"A picture.\"\"\"
    return parts.all() * BRIGHT  # of all parts
"""


def written(root: Path, **changed: str) -> Path:
    """A package `ours` in which `renderer` imports `parts` and `light`, and nothing imports `other`."""
    files = {
        "__init__": "",
        "renderer": RENDERER,
        "parts": "from ours import renderer",
        "light": "BRIGHT = 2",
        "other": "",
    }
    (root / "ours").mkdir(parents=True)
    for name, text in {**files, **changed}.items():
        (root / "ours" / f"{name}.py").write_text(text)
    return root


def digest(root: Path, *but_not: str) -> str:
    return digest_of(["ours.renderer"], but_not=but_not, root=root, packages=["ours"])


@pytest.mark.parametrize(
    "changed",
    [{"light": "BRIGHT = 3"}, {"parts": "import ours.renderer"}, {"renderer": RENDERER.replace("*", "+")}],
    ids=["what it imports", "what it imports in a circle", "itself"],
)
def test_other_code_is_another_digest(tmp_path: Path, changed: dict[str, str]) -> None:
    assert digest(written(tmp_path / "new", **changed)) != digest(written(tmp_path / "old"))


@pytest.mark.parametrize(
    "changed",
    [
        {"other": "BRIGHT = 3"},
        {"renderer": RENDERER.replace("A picture", "One picture").replace("of all parts", "")},
        {"light": "# of the lamp\nBRIGHT = 2"},
    ],
    ids=["what it does not import", "its docstrings", "comments"],
)
def test_other_words_are_the_same_digest(tmp_path: Path, changed: dict[str, str]) -> None:
    assert digest(written(tmp_path / "new", **changed)) == digest(written(tmp_path / "old"))


def test_what_decides_nothing_can_be_left_out(tmp_path: Path) -> None:
    old, new = written(tmp_path / "old"), written(tmp_path / "new", light="import ours.other", other="BRIGHT = 3")

    assert digest(new, "ours.light") == digest(old, "ours.light") != digest(old)


def test_packages_that_are_not_installed_have_no_version() -> None:
    assert [line.split()[0] for line in versions(["numpy", "no-such-package"])] == ["numpy"]
