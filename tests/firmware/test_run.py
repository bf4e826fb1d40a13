"""The whole firmware as its own process, on the simulated board."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import pytest

from firmware.run import SIMULATED_BOARD

pytestmark = pytest.mark.real

DUCTWATCH = [sys.executable, "-m", "firmware"]
LIMIT_S = 120.0

Event = dict[str, Any]


def run(*arguments: str, seconds: float) -> list[Event]:
    """Events of a whole run of so many seconds of the duct's time."""
    command = [*DUCTWATCH, "run", "--events", "-", "--for", str(seconds), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def of(events: Sequence[Event], kind: str, source: str | None = None) -> list[Event]:
    return [event for event in events if event["type"] == kind and source in (None, event["source"])]


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    with Board(tmp_path / "data") as running:
        yield running


class Board:
    """A simulated board that runs until it is told to stop; what it says is read from its stdout."""

    def __init__(
        self,
        data: Path,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        log: int | IO[str] = subprocess.DEVNULL,
    ) -> None:
        command = [*DUCTWATCH, "run", "--events", "-", "--data", str(data), *arguments]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, **(environment or {})},
        )

    def __enter__(self) -> Board:
        return self

    def __exit__(self, *_: object) -> None:
        with self.process:  # also where the test has closed the pipe
            self.process.kill()

    def wait_for(self, kind: str, **fields: Any) -> Event:
        """The next event of this kind with these fields."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event: Event = json.loads(line)
            if event["type"] == kind and all(event[name] == value for name, value in fields.items()):
                return event
        raise AssertionError(f"no {kind} with {fields} until the end of the run")


def test_a_duct_that_gets_dirty_raises_the_alarm() -> None:
    events = run("--time-factor", "60", seconds=80)

    labels = {event["label"] for event in of(events, "verdict", "downstream")}
    alarms = [(event["rule"], event["after"]) for event in of(events, "alarm")]
    assert "DIRTY" in labels
    assert ("dirty_duct", "unacknowledged") in alarms


def test_each_camera_gives_a_verdict_for_each_snapshot() -> None:
    events = run("--time-factor", "60", seconds=20)

    moments = {
        camera: [event["at_s"] for event in of(events, "verdict", camera)] for camera in ("upstream", "downstream")
    }
    assert len(moments["upstream"]) == 10
    assert moments["upstream"] == moments["downstream"]


def repeatable(events: Sequence[Event]) -> list[str]:
    """What must be the same in each run of one seed: all but the machine's own times and figures."""
    of_the_machine = {"time", "latency_ms", "path"}
    return sorted(
        json.dumps({key: value for key, value in event.items() if key not in of_the_machine}, sort_keys=True)
        for event in events
        if event["type"] != "health_report" and event.get("quantity") != "budget_missed"
    )


def test_one_seed_gives_the_same_run_however_fast_time_goes() -> None:
    slow = run("--seed", "5", "--time-factor", "20", seconds=30)
    fast = run("--seed", "5", "--time-factor", "1000", seconds=30)

    assert repeatable(slow) == repeatable(fast)


def test_what_is_derived_comes_with_what_it_follows_from_and_is_remembered(tmp_path: Path) -> None:
    events = run("--time-factor", "60", "--data", str(tmp_path), seconds=30)
    told = {event["quantity"]: event for event in of(events, "reading")}

    assert told["dew_point"]["value"] == pytest.approx(
        told["temperature"]["value"] - told["condensation_margin"]["value"], abs=0.01
    )
    assert told["gas_index"]["quality"] == "learning"
    assert told["pm2_5_corrected"]["at_s"] == told["pm2_5"]["at_s"]
    assert set(json.loads((tmp_path / "derived.json").read_text())["sources"]) >= {"duct-gas", "duct-pm", "upstream"}


def test_another_seed_gives_another_run() -> None:
    one, other = (run("--seed", seed, "--time-factor", "100", seconds=6) for seed in ("1", "2"))

    assert repeatable(one) != repeatable(other)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_a_signal_stops_the_board_cleanly(board: Board, number: signal.Signals) -> None:
    board.wait_for("verdict")

    board.process.send_signal(number)

    assert board.process.wait(LIMIT_S) == 0


def test_a_camera_that_is_unplugged_and_back_is_reported_and_never_calls_the_duct_clean_meanwhile() -> None:
    events = run("--time-factor", "60", "--fault", "camera-unplugged:upstream@9s+20s", seconds=50)

    conditions = [event["condition"] for event in of(events, "health_change", "upstream")]
    gone, back = (event["at_s"] for event in of(events, "health_change", "upstream"))
    assert conditions == ["failed", "recovered"]
    assert not [event for event in of(events, "verdict", "upstream") if gone <= event["at_s"] < back]
    assert len(of(events, "verdict", "downstream")) == 25


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("camera-blind:upstream@9s", "dark"),
        ("led-dead@9s", "dark"),
        ("overexposed:upstream@9s", "saturated"),
        ("camera-frozen:upstream@9s", "frozen"),
    ],
)
def test_a_blind_camera_cannot_tell_and_raises_its_alarm(fault: str, reason: str) -> None:
    events = run("--time-factor", "60", "--fault", fault, seconds=40)

    verdicts = [event for event in of(events, "verdict", "upstream") if event["at_s"] > 11]
    assert {event["label"] for event in verdicts} == {"CANNOT_TELL"}
    assert all(reason in event["reasons"] for event in verdicts)
    assert ("camera_blind", "upstream") in [(event["rule"], event["source"]) for event in of(events, "alarm")]


def test_a_lens_that_gets_dusty_is_noticed_once_the_camera_knows_its_view() -> None:
    events = run("--time-factor", "60", "--seed", "3", "--fault", "lens-dust:upstream@25s", seconds=40)

    verdicts = {event["at_s"]: event["reasons"] for event in of(events, "verdict", "upstream")}
    assert {"hazy"} == {reason for at_s, reasons in verdicts.items() if at_s > 26 for reason in reasons}
    assert not [reasons for at_s, reasons in verdicts.items() if at_s < 25 and "hazy" in reasons]
    assert ("camera_blind", "upstream") in [(event["rule"], event["source"]) for event in of(events, "alarm")]


def test_cameras_are_compared_in_each_snapshot_that_both_can_judge() -> None:
    events = run("--time-factor", "60", "--fault", "camera-blind:upstream@9s", seconds=20)

    board = of(events, "reading", "board")
    compared = [(event["at_s"], event["value"]) for event in board if event["quantity"] == "disagree"]
    assert compared == [(2.3, 0.0), (4.3, 0.0), (6.3, 0.0), (8.3, 0.0)]  # the first verdicts are unsettled


@pytest.mark.parametrize("fault", ["sensor-dead", "sensor-hangs", "sensor-rubbish"])
def test_a_bad_sensor_delays_neither_verdicts_nor_the_other_sensor(fault: str) -> None:
    events = run("--time-factor", "10", "--fault", f"{fault}:duct-gas@4s", seconds=90)

    assert len(of(events, "verdict", "upstream")) == 45
    assert len({event["at_s"] for event in of(events, "reading", "duct-pm") if event["quantity"] == "pm2_5"}) == 18
    assert "failed" in [event["condition"] for event in of(events, "health_change", "duct-gas")]
    assert ("device_dead", "duct-gas") in [(event["rule"], event["source"]) for event in of(events, "alarm")]


def test_a_full_disk_is_reported_and_watching_goes_on() -> None:
    events = run("--time-factor", "3", "--fault", "disk-full@5s+15s", seconds=46)

    changes = [(event["source"], event["condition"]) for event in of(events, "health_change")]
    assert len(of(events, "verdict", "upstream")) == 23
    assert ("outbox", "failed") in changes
    assert ("outbox", "recovered") in changes


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(SIMULATED_BOARD.read_text())
    return path


def test_a_bad_configuration_is_not_reloaded_and_watching_goes_on(tmp_path: Path, config: Path) -> None:
    with Board(tmp_path / "data", "--config", str(config)) as board:
        board.wait_for("verdict")
        config.write_text(config.read_text().replace('period = "2s"', 'period = "2 kg"'))
        board.process.send_signal(signal.SIGHUP)
        said = board.wait_for("health_change", source="board", condition="degraded")
        board.wait_for("verdict")
        config.write_text(config.read_text().replace('period = "2 kg"', 'period = "3s"'))
        board.process.send_signal(signal.SIGHUP)
        board.wait_for("health_change", source="board", condition="recovered")

    assert f"{config}:8: period: '2 kg' is not a duration" in said["problem"]


def test_the_log_tells_the_start_and_that_a_new_configuration_took_over(tmp_path: Path, config: Path) -> None:
    journal = tmp_path / "journal"
    with journal.open("w") as log, Board(tmp_path / "data", "--config", str(config), log=log) as board:
        board.wait_for("verdict")
        config.write_text(config.read_text().replace('name = "upstream"', 'name = "left"'))
        board.process.send_signal(signal.SIGHUP)
        board.wait_for("verdict", source="left")

    told = [json.loads(line) for line in journal.read_text().splitlines()]
    running = [line for line in told if line["event"] == "running"]
    assert [("upstream" in line["devices"], "left" in line["devices"]) for line in running] == [
        (True, False),
        (False, True),
    ]
    assert running[0]["config"] == str(config)


def test_a_good_configuration_takes_over_and_alarms_stay(tmp_path: Path, config: Path) -> None:
    with Board(tmp_path / "data", "--config", str(config), "--time-factor", "60") as board:
        board.wait_for("alarm", rule="dirty_duct", source="downstream")
        config.write_text(config.read_text().replace('name = "upstream"', 'name = "left"'))
        board.process.send_signal(signal.SIGHUP)
        board.wait_for("verdict", source="left")
        board.process.send_signal(signal.SIGTERM)
        rest = [json.loads(line) for line in board.process.stdout or ()]

        assert board.process.wait(LIMIT_S) == 0
    raised = [one for one in of(rest, "alarm", "downstream") if one["rule"] == "dirty_duct"]
    assert "normal" not in [one["before"] for one in raised]


def test_systemd_hears_that_the_board_is_ready_alive_and_stopping(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(LIMIT_S)
        with Board(tmp_path / "data", environment={"NOTIFY_SOCKET": systemd.getsockname()}) as board:
            heard = [systemd.recv(100), systemd.recv(100)]
            board.wait_for("verdict")
            board.process.send_signal(signal.SIGTERM)
            while heard[-1] != b"STOPPING=1":
                heard.append(systemd.recv(100))

    assert set(heard) == {b"READY=1", b"WATCHDOG=1", b"STOPPING=1"}


def test_alarms_are_remembered_across_a_kill(tmp_path: Path) -> None:
    with Board(tmp_path, "--time-factor", "60") as first:
        raised = first.wait_for("alarm", rule="dirty_duct")
        first.wait_for("verdict")
        first.process.send_signal(signal.SIGKILL)

    again = run("--data", str(tmp_path), "--time-factor", "60", seconds=30)

    assert raised["after"] == "unacknowledged"
    repeated = [event for event in of(again, "alarm", raised["source"]) if event["rule"] == "dirty_duct"]
    assert "unacknowledged" not in [event["after"] for event in repeated if event["before"] == "normal"]


def test_a_reader_that_leaves_ends_the_run(board: Board) -> None:
    board.wait_for("verdict")
    assert board.process.stdout is not None

    board.process.stdout.close()

    assert board.process.wait(LIMIT_S) == 0


def test_logs_are_json_on_stderr_and_never_mix_with_events(tmp_path: Path) -> None:
    command = [*DUCTWATCH, "run", "--events", "-", "--for", "6", "--time-factor", "60", "--fault", "sensor-dead"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=True)

    assert all(json.loads(line)["schema"] == "ductwatch.event/1" for line in done.stdout.splitlines())
    assert "device failed" in [json.loads(line)["event"] for line in done.stderr.splitlines()]


UNPLUGGED_OFTEN = [f"--fault=camera-unplugged:upstream@{second}s+2s" for second in range(5, 105, 5)]


def test_a_log_that_nobody_reads_holds_up_nothing() -> None:
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)  # a dozen lines
    with os.fdopen(reading), os.fdopen(writing, "w") as log:
        command = [*DUCTWATCH, "run", "--events", "-", "--for", "120", "--time-factor", "60", *UNPLUGGED_OFTEN]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=log, text=True, timeout=LIMIT_S, check=True)

    assert json.loads(done.stdout.splitlines()[-1])["at_s"] > 110


def test_a_log_on_a_full_disk_is_missed_and_nothing_else() -> None:
    with Path("/dev/full").open("wb") as full:  # each write fails with ENOSPC: full(4)
        command = [*DUCTWATCH, "run", "--events", "-", "--for", "6", "--time-factor", "60", "--fault", "sensor-dead"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=full, text=True, timeout=LIMIT_S, check=True)

    assert "health_change" in [json.loads(line)["type"] for line in done.stdout.splitlines()]
