"""`ductwatch check`, as its own process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.firmware.rules.builders import RULE_ON_DEPOSITS
from tests.model.tables import model_without_a_table

pytestmark = pytest.mark.real

NOT_THERE = """
[[camera]]
name = "upstream"
driver = "v4l2"
path = "/dev/v4l/by-id/usb-nobody-video-index0"

[[sensor]]
name = "duct-gas"
driver = "bme680"
bus = "/dev/i2c-99"

[[sensor]]
name = "duct-pm"
driver = "pms5003"
port = "/dev/ttyNOBODY"
"""


def check(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "firmware", "check", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def rows(*arguments: str) -> tuple[int, dict[str, Any]]:
    done = check("--json", *arguments)
    return done.returncode, {row["device"]: row for row in json.loads(done.stdout)["devices"]}


def test_all_of_the_simulated_board_is_found() -> None:
    status, found = rows()

    assert status == 0
    assert {name for name, row in found.items() if row["found"]} == set(found)
    assert found["upstream"]["sample"].startswith("one frame, 640x480 MJPG")
    assert "pm2_5" in found["duct-pm"]["sample"]


def test_what_is_missing_comes_with_what_to_do(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(NOT_THERE)

    status, found = rows("--config", str(config))

    assert status == 1
    assert [row["found"] for row in found.values()] == [False, False, False]
    assert "ls -l /dev/v4l/by-id" in found["upstream"]["remedy"]
    assert "/dev/i2c-99" in found["duct-gas"]["what"]
    assert all(row["remedy"] for row in found.values())


def test_the_table_has_a_line_for_each_device() -> None:
    done = check()

    assert [name for name in ("upstream", "duct-gas", "led", "relay", "fan") if name not in done.stdout] == []


def test_a_bad_configuration_is_one_line_and_status_2(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[snapshot]\nperiod = '5 kg'\n")

    done = check("--config", str(config))

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"ductwatch: {config}:2: period: '5 kg' is not a duration")
    assert len(done.stderr.splitlines()) == 1


def test_a_rule_on_a_device_that_is_not_there_is_refused(tmp_path: Path) -> None:
    rules, config = tmp_path / "rules.toml", tmp_path / "config.toml"
    shipped = (Path(__file__).parents[2] / "firmware/rules/default.toml").read_text()
    rules.write_text(shipped.replace('signal = "pm2_5"', 'signal = "duct-pmm.pm2_5"'))
    config.write_text(f"[rules]\npath = '{rules}'\n[[sensor]]\nname = 'duct-pm'\ndriver = 'pmsa003i'\n")

    done = check("--config", str(config))

    assert done.returncode == 2
    assert "duct-pm" in done.stderr
    assert f"{rules}:" in done.stderr


def test_a_rule_that_the_model_cannot_answer_is_told_and_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text(RULE_ON_DEPOSITS)
    model, config = model_without_a_table(tmp_path / "model"), tmp_path / "config.toml"
    config.write_text(f"[model]\npath = '{model}'\n[rules]\npath = '{tmp_path / 'rules.toml'}'\n")

    done = check("--config", str(config))

    assert done.returncode == 0
    assert "estimates no deposit, so that nothing can raise: too_much. Run `ductwatch model calibrate`" in done.stderr
