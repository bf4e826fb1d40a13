"""What many rules cost in the engine that the firmware runs, second by second; and how long a replay of a day takes."""

from __future__ import annotations

import io
import tempfile
import time
import tracemalloc
from argparse import Namespace
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from bench import site
from bench.results import Setup
from bench.timing import Times, no_garbage
from drivers.types import Instant
from firmware import rules_replay
from firmware.rules.engine import RuleEngine
from firmware.rules.parse import parse
from firmware.rules.types import Sample

RULES, REPLAYED_RULES = 1_000, 200
SIGNALS = len(site.PLACES) + 1
DAY_S, HOUR_S = 86_400, 3_600
WARM_UP_S = 60  # in the first second each alarm is made
FULL_S, EACH_S = 6 * HOUR_S + 60, 30  # fills the longest window: its buckets are 42 s


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes of one rule: as it was read, and of what the engine needs for it, at its start and with full windows."""

    read: float
    started: float
    full: float


def seconds_of_engine(setup: Setup) -> Times:
    """Each second what the firmware does: take the samples, let time go on, and look how the alarms stand."""
    engine = RuleEngine(site.rules(RULES), now=Instant(0))
    times = Times()
    count = WARM_UP_S + setup.choose(20 * 60, 60)
    with no_garbage():
        for number, said in enumerate(site.seconds(count)):
            if number % 300 == 0:
                setup.progress(f"{RULES} rules, second {number} of {count}")
            wall_ns, cpu_ns = time.perf_counter_ns(), time.thread_time_ns()
            _second(engine, said)
            if number >= WARM_UP_S:
                times.cpu_ns.append(time.thread_time_ns() - cpu_ns)
                times.wall_ns.append(time.perf_counter_ns() - wall_ns)
    return times


def size_of_engine() -> Size:
    text = site.rules_file(RULES)
    parse(text, "bench.toml")  # what is made once for all rules is not of one of them
    with no_garbage():
        tracemalloc.start()
        try:
            rules = parse(text, "bench.toml")
            read, _ = tracemalloc.get_traced_memory()
            engine = RuleEngine(rules, now=Instant(0))
            started, _ = tracemalloc.get_traced_memory()
            for said in site.seconds(FULL_S, every=EACH_S):
                for sample in said:
                    engine.feed(sample)
            full, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    return Size(read / RULES, (started - read) / RULES, (full - read) / RULES)


def _second(engine: RuleEngine, said: list[Sample]) -> None:
    for sample in said:
        engine.feed(sample)
    engine.tick(said[0].at)
    engine.records(said[0].at)


def replay_s(setup: Setup, recorded_s: int) -> float:
    """Processor time of `ductwatch rules replay` for so long a recording, with its report."""
    with tempfile.TemporaryDirectory(prefix="ductwatch-bench-") as name:
        folder = Path(name)
        rules, events = folder / "rules.toml", folder / "recorded.jsonl"
        rules.write_text(site.rules_file(REPLAYED_RULES))
        setup.progress(f"recording {recorded_s / HOUR_S:g} hours")
        with events.open("w") as file:
            file.writelines(site.recording(recorded_s))
        setup.progress(f"replaying {recorded_s / HOUR_S:g} hours of {SIGNALS} signals through {REPLAYED_RULES} rules")
        arguments = Namespace(file=rules, events=events, report=folder / "report", json=False)
        before_ns = time.thread_time_ns()
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            rules_replay.main(arguments)
        return (time.thread_time_ns() - before_ns) / 1e9
