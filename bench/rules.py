"""How fast a compiled rule answers, beside three libraries; what windows cost, a thousand rules, and a replayed day."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from bench.results import Bar, Chart, Goal, Result, Row, Setup
from bench.rules_running import (
    DAY_S,
    HOUR_S,
    REPLAYED_RULES,
    RULES,
    SIGNALS,
    replay_s,
    seconds_of_engine,
    size_of_engine,
)
from bench.site import rules_file
from bench.timing import Times, in_turn, no_garbage
from drivers.types import NS_PER_S, Instant
from firmware.rules.expression.compile import compile_rule
from firmware.rules.expression.windows import History

RULE = "avg(pm2_5, 10m) > 35.0 && humidity > 70.0 || dirty_score > 0.8"
IN_CEL = "pm2_5_avg > 35.0 && humidity > 70.0 || dirty_score > 0.8"
IN_PYTHON = "pm2_5_avg > 35.0 and humidity > 70.0 or dirty_score > 0.8"
NAMES = ("humidity", "dirty_score", "pm2_5_avg")  # the order of our values: signals, then windows
FALSE, TRUE = (60.0, 0.3, 20.0), (75.0, 0.3, 40.0)
PAIRS, SAMPLES = 1_000, 1_000  # of one timed call
WINDOWS_S = {"1 min": 60, "1 h": 3_600, "1 d": 86_400}
AT_MOST_US, AT_MOST_TIMES = 1.0, 2.0
AT_MOST_PERCENT, AT_MOST_REPLAY_S = 2.0, 60.0
OURS, CEL, RULE_ENGINE, SIMPLE_EVAL = "ductwatch", "common-expression-language", "rule-engine", "simpleeval"
HOW = (
    f"{RULE} is compiled once and answered for two sets of values in turn, one for which it is false and one for "
    "which it is true. The rivals are given the mean as a value by name, from a dictionary that is there already; each "
    "in its own language, parsed or compiled once. Processor time of the thread, in turn. Windows: one sample a second "
    "into one that is full, without an answer asked for. Bytes: of one of 1,000 rules with limits of their "
    f"own; the most that a window ever took. A second of {RULES} rules: each of {SIGNALS} signals says something, time "
    "goes on, and all alarms are looked at, as in the firmware. Of twenty rules fourteen are limits with deadbands and "
    "delays and six are expressions, four of them in windows of 10 min to 6 h; five are suppressed while a fan stands "
    "still. Bytes: of one such rule and all that the engine needs for it, its windows full. Replay: the command "
    f"`ductwatch rules replay`, {REPLAYED_RULES} such rules and as many signals at one a second, with its report."
)

Values = tuple[float, float, float]
Answer = Callable[[Values], object]


def measure(setup: Setup, *, recorded_s: int | None = None) -> Result:
    """`recorded_s` is how long a recording is replayed: a day, in a hurry two hours."""
    rounds, calls = setup.choose(9, 2), setup.choose(5, 1)
    answers = contestants()
    named: dict[Values, Any] = {values: dict(zip(NAMES, values, strict=True)) for values in (FALSE, TRUE)}
    given = {name: ((FALSE, TRUE) if name == OURS else (named[FALSE], named[TRUE])) for name in answers}
    asked = in_turn(
        {name: partial(_ask, answers[name], *given[name]) for name in answers},
        rounds=rounds,
        calls=calls,
        progress=lambda number: setup.progress(f"answers, round {number} of {rounds}"),
    )
    windows = {name: _Full(seconds) for name, seconds in WINDOWS_S.items()}
    fed = in_turn(
        {name: window.feed for name, window in windows.items()},
        rounds=rounds,
        calls=calls,
        progress=lambda number: setup.progress(f"windows, round {number} of {rounds}"),
    )
    running = seconds_of_engine(setup)
    setup.progress("memory")
    rule_bytes, size = _rule_bytes(), size_of_engine()
    recorded_s = recorded_s or setup.choose(DAY_S, 2 * HOUR_S)
    replayed_s = replay_s(setup, recorded_s)
    share = 100 * sum(running.cpu_ns) / (len(running.cpu_ns) * NS_PER_S)
    each_us = {name: 1_000 * times.median_ms / (2 * PAIRS) for name, times in asked.items()}
    sample_us = {name: 1_000 * times.median_ms / SAMPLES for name, times in fed.items()}
    return Result(
        name="rules",
        title="Rules: answers and windows",
        how=HOW,
        columns=("median /s", "least /s", "most /s", "median us each", "bytes"),
        rows=(
            *(_row(name, asked[name], 2 * PAIRS, rule_bytes if name == OURS else None) for name in asked),
            *(_row(f"window of {name}", fed[name], SAMPLES, windows[name].bytes) for name in fed),
            _row(f"a second of {RULES} rules", running, 1, size.read + size.full),
            Row("a second of a replay", (recorded_s / replayed_s, None, None, 1e6 * replayed_s / recorded_s, None)),
        ),
        chart=Chart(
            unit="million answers a second (median)",
            bars=tuple(Bar(label=name, value=1 / us) for name, us in each_us.items()),
        ),
        goals=(
            Goal(what="one answer", value=each_us[OURS], at_most=AT_MOST_US, unit="us"),
            Goal(
                what="a sample into a window of 1 d, against 1 min",
                value=sample_us["1 d"] / sample_us["1 min"],
                at_most=AT_MOST_TIMES,
                unit="times",
            ),
            Goal(what=f"{RULES} rules at 1 Hz", value=share, at_most=AT_MOST_PERCENT, unit="% of a core"),
            Goal(
                what=f"replay of a day, {SIGNALS} signals at 1 Hz, {REPLAYED_RULES} rules",
                value=replayed_s * DAY_S / recorded_s,
                at_most=AT_MOST_REPLAY_S,
                unit="s",
            ),
        ),
        notes=(
            "Where a value is unknown, ductwatch answers true, false or unknown; common-expression-language and "
            "rule-engine raise an error then.",
            f"Each of {RULES} rules takes {size.read:.0f} bytes as read and {size.started:.0f} more in an engine "
            f"that starts: {size.full:.0f} when all windows are full.",
            f"{recorded_s / HOUR_S:g} hours were replayed. Writing alarms to disk is not in these figures.",
        ),
        details={"rule": RULE, "a rule of the site": rules_file(RULES).split("[[rule]]")[15], "replayed_s": recorded_s},
    )


def contestants() -> dict[str, Answer]:
    """What answers the rule; ours takes the values, the rivals a dictionary of them by NAMES."""
    import cel
    import rule_engine
    import simpleeval

    evaluator = simpleeval.SimpleEval()
    parsed = evaluator.parse(IN_PYTHON)

    def simple(values: Any) -> object:
        evaluator.names = values
        return evaluator.eval(IN_PYTHON, previously_parsed=parsed)

    return {
        OURS: compile_rule(RULE).ask,
        CEL: cel.compile(IN_CEL).execute,
        RULE_ENGINE: rule_engine.Rule(IN_PYTHON).matches,
        SIMPLE_EVAL: simple,
    }


def _ask(answer: Answer, false: Values, true: Values, _: int) -> None:
    for _ in range(PAIRS):
        answer(false)
        answer(true)


class _Full:
    """A window with all the samples that it can have, one a second; `bytes` is the most that it ever took."""

    def __init__(self, seconds: int) -> None:
        self._second = 0
        with no_garbage():
            tracemalloc.start()
            self._history = History([seconds * NS_PER_S])
            self._feed(3 * seconds)
            _, self.bytes = tracemalloc.get_traced_memory()
            tracemalloc.stop()

    def feed(self, _: int) -> None:
        self._feed(SAMPLES)

    def _feed(self, count: int) -> None:
        feed = self._history.feed
        for second in range(self._second, self._second + count):
            feed(second % 97 + 0.5, Instant(second * NS_PER_S))
        self._second += count


def _rule_bytes(count: int = 1_000) -> float:
    compile_rule(RULE)
    with no_garbage():
        tracemalloc.start()
        rules = [compile_rule(RULE.replace("35.0", f"{limit}.5")) for limit in range(count)]
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return size / len(rules)


def _row(label: str, times: Times, count: int, size: float | None) -> Row:
    rates = _rates(times, count)
    return Row(label, (*rates, 1_000 * times.median_ms / count, size))


def _rates(times: Times, count: int) -> Sequence[float]:
    """Median, least and most a second."""
    taken_ns = (times.median_ms * 1e6, max(times.cpu_ns), min(times.cpu_ns))
    return tuple(count * NS_PER_S / ns for ns in taken_ns)
