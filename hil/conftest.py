"""Fixtures of the bench. The board starts once for all tests; each leaves it as it found it."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from hil.bench import Bench
from hil.benches import BenchDriver
from hil.board import Board
from hil.evidence import keep
from hil.ready import READY_LIMIT_S, Ready
from hil.report import Report
from hil.rig.pictures import SCENES
from hil.rig.uvc import VGA
from hil.strategy import State

RESULTS = Path(os.environ.get("LG_RIG_RESULTS", "build/hil/results"))
FOLDER = Path(os.environ.get("LG_RIG_FOLDER", "build/hil"))


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
    if outcome.failed and "bench" in arguments and "strategy" in arguments:
        kept = keep(RESULTS / "failed", item.name, arguments["strategy"], arguments["bench"])
        outcome.sections.append(("kept", str(kept)))
    return outcome


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The figures as a table; kept beside junit.xml, too."""
    rows = [f"{what}: {value}  ({test})" for test, what, value in Report.figures]
    if rows:
        terminalreporter.section("figures")
        terminalreporter.write_line("\n".join(rows))
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / "figures.txt").write_text("\n".join(rows) + "\n")


@pytest.fixture(scope="session")
def machine(strategy: Any, bench_driver: Any) -> Iterator[Any]:
    """labgrid's strategy, with the hardware and the card there before the board gets its power."""
    strategy.transition(State.off)
    bench_driver.insert_card()
    yield strategy
    strategy.transition(State.off)


@pytest.fixture
def ready(machine: Any, bench: Bench) -> Iterator[Ready]:
    """A board that watches a clean duct, all devices well, no alarm. What the test broke is put back after it."""
    ready = Ready(machine, bench, Board(machine.shell))
    ready.reach(READY_LIMIT_S)
    yield ready
    bench.restore()


@pytest.fixture
def board(ready: Ready) -> Board:
    return ready.board


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Report:
    """Figures for the table at the end."""
    return Report(request.node.name)
