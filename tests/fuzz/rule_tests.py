"""Any text as a file of tests for rules, and as a series: it is refused with file and line, or it can be played."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from drivers.types import NS_PER_S
from firmware.document import Document
from firmware.errors import ConfigError
from firmware.plan import DEFAULT_RULES, load_rules
from firmware.rules.names import SIGNALS
from firmware.rules.series import MOST_VALUES, expand
from firmware.rules.story import play
from firmware.rules_test import DEFAULT_TESTS, stories

FILE = Path("test.toml")
MAX_BYTES = 4_096
WORDS = (
    *(
        "[[test]]",
        '\nname = "a"',
        '\nevery = "30s"',
        "\nseries = {",
        "\nexpect = [",
        "\ndo = [",
        "x10",
        "+2x",
        "_x5",
        "?x5",
    ),
    *(
        "{ at = ",
        "alarm = ",
        "state = ",
        "shelve = ",
        "for = ",
        "acknowledge = ",
        "reset = ",
        '"duct-pm.pm2_5"',
        '"5min"',
    ),
    *(f'"{name}"' for name in SIGNALS),
)
PLACE = re.compile(rf"{re.escape(str(FILE))}:(\d+: \S| not TOML: )")
RULES = load_rules(DEFAULT_RULES)
SHORT_NS, SHORT = 600 * NS_PER_S, 1_000  # what is longer is not played: forty days of a test may take a minute


def seeds() -> Iterable[bytes]:
    each = DEFAULT_TESTS.read_text().split("[[test]]")
    yield from (f"[[test]]{text}".encode() for text in each[1:])
    yield b"1x3 10+2x5 _x5 ?x2 -3.5"


def check(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    try:
        assert len(expand(text)) <= MOST_VALUES
    except ValueError as refused:
        assert str(refused)
    try:
        found = list(stories(Document(text, FILE), RULES))
    except ConfigError as refused:
        assert PLACE.match(str(refused)), refused
        return
    for story in found:
        moments = [*(each.at for each in story.expected), *(sample.at for sample in story.samples)]
        if max(moments, default=0) <= SHORT_NS and len(story.samples) <= SHORT:
            play(story, RULES)
