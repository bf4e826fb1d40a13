from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware.toml_positions import KeyPath, locate

TEXT = '''\
# line 1: a comment with [brackets] and key = value
title = "line 2"
site.zone."a.b" = 3

[board] # line 5
name = "line 6, not a # comment"
words = """
[board]
name = "line 9 belongs to words, \\""" too"""
'literal key' = 10
after = [ 11, # comment ]
  12, { inner = "]", other = [
    13 ] },
  '14',
]

[[rule]]
limit = 18
labels = { zone = "a", floor = 19 }

[rule.annotations]
cause = 22

[[rule]]
limit = 25
[[rule.window]]
at = 27
[[rule.window]]
at = 29

[board.light]
level = 32
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("title",), 2),
        (("site",), 3),
        (("site", "zone", "a.b"), 3),
        (("board",), 5),
        (("board", "name"), 6),
        (("board", "words"), 7),
        (("board", "literal key"), 10),
        (("board", "after", 0), 11),
        (("board", "after", 1), 12),
        (("board", "after", 2), 12),
        (("board", "after", 2, "inner"), 12),
        (("board", "after", 2, "other", 0), 13),
        (("board", "after", 3), 14),
        (("rule",), 17),
        (("rule", 0), 17),
        (("rule", 0, "limit"), 18),
        (("rule", 0, "labels", "floor"), 19),
        (("rule", 0, "annotations"), 21),
        (("rule", 0, "annotations", "cause"), 22),
        (("rule", 1), 24),
        (("rule", 1, "limit"), 25),
        (("rule", 1, "window", 0, "at"), 27),
        (("rule", 1, "window", 1), 28),
        (("rule", 1, "window", 1, "at"), 29),
        (("board", "light"), 31),
        (("board", "light", "level"), 32),
        (("rule", 1, "severity"), 24),
        (("rule", 7, "limit"), 17),
        (("rule", 0, "annotations", "action"), 21),
        (("nowhere", "at", "all"), 1),
    ],
    ids=lambda value: ".".join(map(str, value)) or "document" if isinstance(value, tuple) else f"line {value}",
)
def test_each_key_is_found_on_its_line(path: KeyPath, line: int) -> None:
    tomllib.loads(TEXT)

    assert locate(TEXT, path) == line


def test_windows_line_ends_count_once() -> None:
    assert locate(TEXT.replace("\n", "\r\n"), ("rule", 1, "window", 1, "at")) == 29


scalars = st.one_of(
    st.integers(-99, 99),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e6, max_value=1e6),
    st.sampled_from(['"a # b"', "'it = [1]'", '"""\nx = 1\n[y]\n"""', "'''\n}\n'''", "1979-05-27T07:32:00Z", '"\\""']),
)
keys = st.sampled_from(["a", "b-c", "d_1", "7", '"e.f"', "'g h'", '"\\u0069"'])


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[KeyPath, int]]:
    """A text of arrays of tables, and where its keys are."""
    lines: list[str] = []
    places: dict[KeyPath, int] = {}
    for index in range(draw(st.integers(1, 4))):
        lines += draw(st.sampled_from([["[[t]]"], ["", "[[ t ]] # one"], ["# [[t]]", "[['t']]"]]))
        places["t", index] = sum(line.count("\n") + 1 for line in lines)
        for key in draw(st.lists(keys, unique=True, max_size=5)):
            value = draw(st.one_of(scalars, st.lists(scalars, max_size=3)))
            shown = f"[\n{', '.join(map(_toml, value))} # ]\n]" if isinstance(value, list) else _toml(value)
            places["t", index, next(iter(tomllib.loads(f"{key} = 1")))] = 1 + sum(
                line.count("\n") + 1 for line in lines
            )
            lines.append(f"{key} = {shown}")
    return "\n".join(lines), places


def _toml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents())
def test_whatever_tomllib_reads_is_found_where_it_was_written(document: tuple[str, dict[KeyPath, int]]) -> None:
    text, places = document
    tomllib.loads(text)

    assert {path: locate(text, path) for path in places} == places


@settings(deadline=None)
@given(st.text(alphabet="ab1.=[]{}\"'#,\n \\", max_size=60))
def test_a_text_that_is_no_toml_still_ends_in_one_of_its_lines(text: str) -> None:
    assert 1 <= locate(text, ("a", 0, "b")) <= text.count("\n") + 1
