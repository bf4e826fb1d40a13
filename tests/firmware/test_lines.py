from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import TextIO

import pytest

from firmware.lines import MAX_WAITING, LineWriter

pytestmark = pytest.mark.real


@pytest.fixture
def pipe() -> Iterator[tuple[TextIO, int]]:
    reading, writing = os.pipe()
    with os.fdopen(reading) as reader:
        yield reader, writing
    os.close(writing)


def test_lines_arrive_in_order_and_the_last_before_the_end(pipe: tuple[TextIO, int]) -> None:
    reader, writer = pipe
    with LineWriter(writer, gone=lambda: None) as lines:
        for line in ("1", "2", "3"):
            lines.put(line)

    assert [reader.readline() for _ in range(3)] == ["1\n", "2\n", "3\n"]


def test_a_reader_that_stalls_costs_lines_not_time(pipe: tuple[TextIO, int]) -> None:
    reader, writer = pipe
    lines = LineWriter(writer, gone=lambda: None)
    for _ in range(MAX_WAITING + 5):
        lines.put("x" * 100)

    assert lines.dropped == 5
    assert reader.readable()


def test_a_reader_that_left_is_noticed(pipe: tuple[TextIO, int]) -> None:
    reader, writer = pipe
    gone = threading.Event()
    reader.close()
    with LineWriter(writer, gone=gone.set) as lines:
        lines.put("anyone there?")

        assert gone.wait(10)


def test_a_descriptor_that_does_not_block_is_waited_for(pipe: tuple[TextIO, int]) -> None:
    reader, writer = pipe
    os.set_blocking(writer, False)
    gone = threading.Event()
    with LineWriter(writer, gone=gone.set) as lines:
        for number in range(2000):
            lines.put(f"{number:0100}")  # three times what a pipe holds
        read = [reader.readline() for _ in range(2000)]

    assert [int(line) for line in read] == list(range(2000))
    assert not gone.is_set()
