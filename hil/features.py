"""Which tests need what a bench can do, from their marks: for whoever builds a bench."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

MARK = "lg_feature"  # labgrid skips a test whose features the environment has not
NOTHING = "the board alone"


def collected(folder: Path) -> dict[str, frozenset[str]]:
    """The features of each test below `folder`, by its name."""
    marks = _Marks()
    words = ["-c", str(folder / "pytest.ini"), "--rootdir", str(folder), "--collect-only", "-q", str(folder)]
    with contextlib.redirect_stdout(io.StringIO()) as said:
        status = pytest.main(words, plugins=[marks])
    if status != pytest.ExitCode.OK:
        raise RuntimeError(f"the tests cannot be collected:\n{said.getvalue()}")
    return marks.features


def listed(features: Mapping[str, Iterable[str]]) -> str:
    """A table in Markdown: each need once, with the tests that have it."""
    tests: dict[str, list[str]] = {}
    for test, needs in features.items():
        tests.setdefault(", ".join(sorted(needs)) or NOTHING, []).append(test)
    rows = [f"| {needs} | {len(names)} | {'<br>'.join(names)} |" for needs, names in sorted(tests.items())]
    return "\n".join(("| needs | tests | which |", "|---|---|---|", *rows))


class _Marks:
    """A plugin of pytest's that notes what it collects."""

    def __init__(self) -> None:
        self.features: dict[str, frozenset[str]] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            needs = [words(mark.args[0]) for mark in item.iter_markers(MARK)]
            self.features[item.nodeid] = frozenset().union(*needs)


def words(argument: str | Iterable[str]) -> frozenset[str]:
    """What a mark was given: one feature, or several."""
    return frozenset({argument} if isinstance(argument, str) else argument)
