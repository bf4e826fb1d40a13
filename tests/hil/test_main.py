"""What `make hil` makes of its words."""

from __future__ import annotations

import pytest

from hil.__main__ import HERE, with_tests


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["-k", "model"],  # a folder of the repository has that name
        ["-v", "--tb=short"],
        ["-m", "pictures", "-x"],
        ["--junitxml=build/hil/test_watching.py"],
    ],
    ids=" ".join,
)
def test_the_whole_suite_is_meant_where_no_tests_are_named(words: list[str]) -> None:
    assert with_tests(words) == [*words, str(HERE)]


@pytest.mark.parametrize(
    "words",
    [
        ["hil/test_watching.py"],
        ["hil/test_watching.py::test_dust_arrives_as_it_is", "-v"],
        ["-k", "dust", str(HERE / "test_watching.py")],
        [str(HERE)],
        ["test_misspelt.py"],
    ],
    ids=" ".join,
)
def test_tests_that_are_named_are_all_that_run(words: list[str]) -> None:
    assert with_tests(words) == words
