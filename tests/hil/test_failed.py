from __future__ import annotations

from pathlib import Path

import pytest

from hil.failed import NothingFailed, failed_tests

SUITE = Path("/suite")


def junit(folder: Path, *cases: str) -> Path:
    path = folder / "junit.xml"
    path.write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")
    return path


def case(name: str, inner: str = "") -> str:
    return f'<testcase classname="test_faults" name="{name}" time="1.0">{inner}</testcase>'


def test_what_failed_and_what_ended_badly_is_run_again_once(tmp_path: Path) -> None:
    path = junit(
        tmp_path,
        case("test_good"),
        case("test_bad[gas, no answer]", "<failure/>"),
        case("test_ugly", "<failure/>"),
        case("test_ugly", "<error/>"),
        case("test_left_out", "<skipped/>"),
    )

    assert failed_tests(path, SUITE) == [
        "/suite/test_faults.py::test_bad[gas, no answer]",
        "/suite/test_faults.py::test_ugly",
    ]


def test_a_green_run_has_nothing_to_run_again(tmp_path: Path) -> None:
    with pytest.raises(NothingFailed, match="nothing failed"):
        failed_tests(junit(tmp_path, case("test_good")), SUITE)


def test_a_run_that_was_cut_short_says_so(tmp_path: Path) -> None:
    (tmp_path / "junit.xml").write_text("<testsuites>")

    with pytest.raises(NothingFailed, match="run the suite first"):
        failed_tests(tmp_path / "junit.xml", SUITE)
