"""Fixtures of the bench. The board is there for all tests, and each leaves it as it found it: those about power start
it again, and so does `ready` where a test left it stuck."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from labgrid.driver import ExecutionError
from labgrid.strategy import StrategyError

from hil.bench import Bench
from hil.benches import BenchDriver
from hil.board import Board
from hil.evidence import keep
from hil.ready import READY_LIMIT_S, Ready
from hil.report import LIMIT_S, Report, told_duration
from hil.rig.pictures import SCENES
from hil.rig.uvc import VGA
from hil.strategy import State

RESULTS = Path(os.environ.get("LG_RIG_RESULTS", "build/hil/results"))
FOLDER = Path(os.environ.get("LG_RIG_FOLDER", "build/hil"))
STARTED_S = time.monotonic()
STUCK = (AssertionError, OSError, StrategyError, ExecutionError, subprocess.TimeoutExpired)  # what a stuck board raises


@pytest.fixture(scope="session")
def bench_driver(target: Any) -> Iterator[Any]:
    """The one driver of benches.py that the environment names."""
    driver = target.get_driver(BenchDriver)
    yield driver
    target.deactivate(driver)


@pytest.fixture(scope="session")
def bench(bench_driver: Any) -> Bench:
    """The world around the board: cameras, sensors, lines, broker."""
    for scene in SCENES.values():
        scene.draw([VGA])
    bench: Bench = bench_driver.bench
    return bench


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep what shows why a test failed."""
    outcome = yield
    arguments = getattr(item, "funcargs", {})
    if outcome.failed:
        kept = _keep(item.name, arguments.get("strategy"), arguments.get("bench"))
        outcome.sections.append(("kept", str(kept)))
    return outcome


def _keep(test: str, machine: Any, bench: Any) -> Path:
    return keep(RESULTS / "failed", test, machine, bench, files=sorted(FOLDER.glob("*.txt")))  # consoles of others


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The figures as a table; kept beside junit.xml, too."""
    if _is_whole(config) and terminalreporter.stats:
        took = f"{told_duration(time.monotonic() - STARTED_S)} (limit {told_duration(LIMIT_S)})"
        Report("hil").remark("whole suite", took)
    rows = [f"{what}: {value}  ({test})" for test, what, value in Report.figures]
    if rows:
        terminalreporter.section("figures")
        terminalreporter.write_line("\n".join(rows))
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / "figures.txt").write_text("\n".join(rows) + "\n")


def _is_whole(config: pytest.Config) -> bool:
    """Whether nobody selected tests, or let the run end early."""
    asked = config.option
    is_selected = asked.keyword or asked.markexpr or asked.deselect or asked.maxfail or asked.collectonly
    return not is_selected and [Path(word).resolve() for word in config.args] == [Path(__file__).parent]


@pytest.fixture(scope="session")
def machine(strategy: Any, bench_driver: Any) -> Iterator[Any]:
    """labgrid's strategy, with the hardware and the card there before the board gets its power."""
    strategy.transition(State.off)
    bench_driver.insert_card()
    yield strategy
    strategy.transition(State.off)


@pytest.fixture
def ready(request: pytest.FixtureRequest, machine: Any, bench: Bench) -> Iterator[Ready]:
    """A board that watches a clean duct, all devices well, no alarm. What the test broke is put back after it.

    A board that the test before left stuck gets a power cut and one more try; if that fails, the run ends.
    """
    ready = Ready(machine, bench, Board(machine.shell))
    test = request.node.name
    try:
        ready.reach(READY_LIMIT_S)
    except STUCK as error:
        kept = _keep(f"before {test}", machine, bench)
        Report(test).remark("the board was stuck, and started again", f"{_first_line(error)}; see {kept}")
        _start_again(ready, test)
    yield ready
    bench.restore()


def _start_again(ready: Ready, test: str) -> None:
    try:
        ready.machine.transition(State.off)
        ready.reach(READY_LIMIT_S)
    except STUCK as error:
        kept = _keep(f"ended at {test}", ready.machine, ready.bench)
        pytest.exit(f"no test can run: the board stays stuck after a power cut: {_first_line(error)}; see {kept}", 1)


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]


@pytest.fixture
def board(machine: Any, bench: Bench) -> Board:
    """A board that runs, for tests that only look at it: they care neither for what the bench shows nor for alarms."""
    bench.restore()
    machine.transition(State.watching)
    return Board(machine.shell)


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Report:
    """Figures for the table at the end."""
    return Report(request.node.name)
