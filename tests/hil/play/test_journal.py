"""The board's journal is read as it is written, and readable."""

from __future__ import annotations

import json
import shlex
import time
from pathlib import Path
from typing import Any

import pytest

from hil.play.journal import MOST_TEXT, Entry, Journal, entry

LIMIT_S = 20.0


def line(message: Any, *, who: str = "ductwatch", at_us: int = 1_500_000, boot: str = "b1") -> bytes:
    fields = {"MESSAGE": message, "SYSLOG_IDENTIFIER": who, "PRIORITY": "6"}
    return json.dumps({**fields, "_BOOT_ID": boot, "__MONOTONIC_TIMESTAMP": str(at_us)}).encode()


def test_the_firmwares_own_log_reads_as_event_and_fields() -> None:
    message = {
        "source": "duct-gas",
        "problem": "no answer",
        "event": "device failed",
        "level": "warning",
        "timestamp": "t",
    }

    assert entry(line(json.dumps(message))) == Entry(
        "b1", 1.5, "ductwatch", 4, 'device failed  source=duct-gas  problem="no answer"'
    )


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("plain words", "plain words"),
        ("{}", "{}"),
        ("[1]", "[1]"),
        ([0x6F, 0x6B, 0xFF], "ok\ufffd"),
        ("x" * 5000, "x" * MOST_TEXT),
    ],
    ids=["text", "no event", "a list", "bytes", "long"],
)
def test_other_texts_stay_what_they_are(message: Any, text: str) -> None:
    found = entry(line(message))

    assert found is not None
    assert found.text == text


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b'{"MESSAGE": "x"}', b"-- No entries --"])
def test_what_is_no_entry_is_passed_over(data: bytes) -> None:
    assert entry(data) is None


def followed(journal: Journal, lines: int) -> list[str]:
    until_s = time.monotonic() + LIMIT_S
    while len(journal.since(0)) < lines and time.monotonic() < until_s:
        journal.follow(0.05)
    return [it["text"] for it in journal.since(0)]


def printing(folder: Path, *lines: bytes) -> list[str]:
    """A command that prints these, as ssh would, and stays."""
    text = folder / "lines"
    text.write_bytes(b"".join(line + b"\n" for line in lines))
    return ["sh", "-c", f"cat {shlex.quote(str(text))}; exec sleep 60"]


@pytest.mark.real
def test_lines_are_numbered_so_that_the_page_asks_for_new_ones(tmp_path: Path) -> None:
    command = printing(tmp_path, line("one", at_us=1), line("two", at_us=2), line("three", at_us=3))
    with Journal(command, lambda: True) as journal:
        assert followed(journal, 3) == ["one", "two", "three"]
        assert [it["text"] for it in journal.since(2)] == ["three"]
        assert journal.connected


@pytest.mark.real
def test_a_connection_anew_repeats_no_line_and_another_boot_is_told(tmp_path: Path) -> None:
    reached = True
    command = printing(tmp_path, line("one", at_us=1), line("two", at_us=2))
    with Journal(command, lambda: reached) as journal:
        followed(journal, 2)
        reached = False
        journal.follow(0)
        assert not journal.connected
        printing(tmp_path, line("one", at_us=1), line("two", at_us=2), line("after the cut", at_us=1, boot="b2"))
        reached = True

        assert followed(journal, 3) == ["one", "two", "after the cut"]


@pytest.mark.real
def test_a_board_that_does_not_answer_yet_is_asked_again(tmp_path: Path) -> None:
    there = tmp_path / "there"
    command = ["sh", "-c", f"test -e {there} && cat {there} && exec sleep 60; touch {there}"]
    there_later = line("at last")
    with Journal(command, lambda: True) as journal:
        journal.follow(0.5)
        there.write_bytes(there_later + b"\n")

        assert followed(journal, 1) == ["at last"]
