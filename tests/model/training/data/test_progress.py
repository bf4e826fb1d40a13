"""How far it is, in words."""

from __future__ import annotations

import pytest

from model.training.data.progress import Progress, progress_line


@pytest.mark.parametrize(
    ("done", "total", "elapsed_s", "line"),
    [
        (0, 1000, 3.0, "looking: 0 of 1,000"),
        (250, 1000, 10.0, "looking: 250 of 1,000, 30 s left"),
        (10, 10_000, 1.0, "looking: 10 of 10,000, 17 min left"),
        (1000, 1000, 40.0, "looking: 1,000 of 1,000"),
    ],
    ids=str,
)
def test_the_time_left_is_that_of_the_same_pace(done: int, total: int, elapsed_s: float, line: str) -> None:
    assert progress_line("looking", done, total, elapsed_s) == line


def test_what_is_soon_done_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress("looking", 10)
    for done in range(10):
        progress(done)
    progress.end()

    assert capsys.readouterr() == ("", "")


def test_what_was_done_before_a_stop_says_nothing_of_the_pace() -> None:
    assert progress_line("teaching", 1010, 1100, 60.0, first=1000) == "teaching: 1,010 of 1,100, 9 min left"
