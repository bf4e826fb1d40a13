"""What a bench must be able to do for which test is known, and both environments speak the same language."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from hil.features import NOTHING, listed
from tests.packaging.test_service import REPOSITORY

HIL = REPOSITORY / "hil"
pytestmark = pytest.mark.real

LIMIT_S = 60.0

MARKED = """
import pytest
pytestmark = pytest.mark.lg_feature("broker")
@pytest.mark.lg_feature(["lines", "power"])
def test_an_alarm(): ...
def test_a_message(): ...
"""


def features_of(environment: Path, *, promised: bool = False) -> set[str]:
    """The list under `features:`, with what is commented out unless only what is `promised` is asked for."""
    block = re.search(r"features:[^\n]*\n((?:\s+(?:- |#).*\n)+)", environment.read_text())
    assert block is not None
    return set(re.findall(r"^\s+- ([\w-]+)" if promised else r"^\s+(?:# )?- ([\w-]+)", block[1], re.MULTILINE))


def test_the_needs_of_a_test_are_those_of_its_marks_and_of_its_modules(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p no:asyncio\nmarkers = lg_feature: what it needs\n")
    (tmp_path / "test_marked.py").write_text(MARKED)

    code = f"import pathlib, hil.features as it; print(it.listed(it.collected(pathlib.Path({str(tmp_path)!r}))))"
    done = subprocess.run(  # a pytest of its own
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=LIMIT_S, cwd=REPOSITORY
    )

    assert done.stdout.splitlines()[2:] == [
        "| broker | 1 | test_marked.py::test_a_message |",
        "| broker, lines, power | 1 | test_marked.py::test_an_alarm |",
    ]


def test_tests_with_one_need_are_listed_together() -> None:
    table = listed({"one": ["power"], "two": [], "three": ["power"]})

    assert table.splitlines()[2:] == ["| power | 2 | one<br>three |", f"| {NOTHING} | 1 | two |"]


def test_the_example_of_a_physical_bench_names_what_the_virtual_one_does() -> None:
    assert features_of(HIL / "bench.example.yaml") == features_of(HIL / "env.yaml")


def test_the_readme_says_what_each_feature_takes_on_a_physical_bench() -> None:
    readme = (HIL / "README.md").read_text()

    assert [feature for feature in features_of(HIL / "env.yaml") if f"| `{feature}` |" not in readme] == []
