from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from bench.results import load_all, save
from tests.bench.builders import document, goal, result

pytestmark = pytest.mark.real


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    written = document(result("memory", goals=(goal(81.5),)))

    save(written, tmp_path / "results")

    assert load_all(tmp_path / "results") == [written]


def test_measuring_one_anew_leaves_the_others(tmp_path: Path) -> None:
    for name in ("memory", "cpu"):
        save(document(result(name)), tmp_path)
    save(document(result("cpu"), quick=True), tmp_path)

    assert [(it.result.name, it.quick) for it in load_all(tmp_path)] == [("cpu", True), ("memory", False)]


def test_a_file_that_is_no_result_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "notes.json").write_text('{"figures": 3}')

    with pytest.raises(msgspec.ValidationError):
        load_all(tmp_path)
