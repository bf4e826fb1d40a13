"""Any text as a file of rules: it is refused with file and line, or its rules can be run."""

from __future__ import annotations

import re
from collections.abc import Iterable

from drivers.types import NS_PER_S, Instant, SourceId
from firmware.plan import DEFAULT_RULES
from firmware.rules.engine import RuleEngine
from firmware.rules.names import SIGNALS
from firmware.rules.parse import ANNOTATIONS, KEYS, MAX_PROBLEMS, BadRules, parse
from firmware.rules.types import Sample
from tests.fuzz.pages import blocks

FILE = "rules.toml"
MAX_BYTES = 4_096
WORDS = (
    *("[[rule]]", "[rule.annotations]", '"""', "'''", " = ", '"35.4 ug/m3"', '"10min"', '"3 of 4"', "true", "0.7"),
    *(f"\n{key} = " for key in (*KEYS, *ANNOTATIONS)),
    *SIGNALS,
)
PROBLEM = re.compile(rf"{re.escape(FILE)}:(\d+)(:\d+)?: \S")
SOURCES = (SourceId("duct-pm"), SourceId("duct-gas"), SourceId("fan"))


def seeds() -> Iterable[bytes]:
    each = DEFAULT_RULES.read_text().split("[[rule]]")
    yield from (f"[[rule]]{text}".encode() for text in each[1:])
    yield from (text.encode() for text in blocks("rules.md", "toml"))


def check(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    try:
        rules = parse(text, FILE, sources=SOURCES)
    except BadRules as refused:
        lines = str(refused).split("\n")
        assert len(lines) <= MAX_PROBLEMS
        for line in lines:
            found = PROBLEM.match(line)
            assert found is not None, line
            assert 1 <= int(found[1]) <= text.count("\n") + 1, line
        return
    engine = RuleEngine(rules, now=Instant(0))
    for second, rule in enumerate(rules[:5]):
        engine.feed(Sample(SOURCES[0], rule.signal, 50.0, Instant(second * NS_PER_S)))
        assert rule.condition
    engine.tick(Instant(3600 * NS_PER_S))
    engine.records(Instant(3600 * NS_PER_S))
