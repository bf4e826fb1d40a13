"""`ductwatch cleaning`, as a contractor uses it beside the running firmware: a duct gets dirty, and is cleaned."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.firmware.test_run import DUCTWATCH, LIMIT_S, Board

pytestmark = pytest.mark.real

CLEANED = ("--time-factor", "20", "--fault", "duct-cleaned@100s")


def says(data: Path, *words: str, code: int = 0) -> str:
    command = [*DUCTWATCH, "cleaning", *words, "--data", str(data)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def status(data: Path) -> Any:
    return json.loads(says(data, "status", "--json"))


def test_a_dirty_duct_is_cleaned_verified_and_reported_on_and_its_alarm_is_reset(tmp_path: Path) -> None:
    with Board(tmp_path, *CLEANED) as board:
        board.wait_for("alarm", rule="dirty_duct", source="upstream", event="raise")
        begun = says(tmp_path, "start", "--by", "Ann <b>", "--reason", "yearly")
        board.wait_for("reading", quantity="cleaning", value=1.0)
        quiet = board.wait_for("alarm", rule="dirty_duct", source="upstream", event="suppress")
        board.wait_for("verdict", label="CLEAN")
        said = says(tmp_path)
        finished = says(tmp_path, "finish", "--by", "Bob")
        reset = board.wait_for("alarm", rule="dirty_duct", source="upstream", event="reset")
        verified = board.wait_for("cleaning", event="verify")
        board.wait_for("reading", quantity="cleaning", value=0.0)
        last = says(tmp_path)

    assert begun.startswith("The cleaning has begun")
    assert quiet["active"] is False
    assert "The duct is being cleaned." in said
    assert "by Ann <b>: yearly" in said
    assert "pictures from before: downstream, upstream" in said
    assert finished.startswith("Finished: the cameras look")
    assert reset["by"] == "Bob"
    assert f"The last one was verified: {verified['report']}" in last
    page = (tmp_path / verified["report"]).read_text()
    assert page.count('<img alt="') == 4
    assert "Verified clean" in page
    assert "Ann &lt;b&gt;" in page
    assert "dirty_duct/upstream: over" in page
    assert says(tmp_path, "report") == f"{tmp_path / verified['report']}\n"  # without the firmware


def test_a_cleaning_outlives_a_kill_with_its_pictures_from_before(tmp_path: Path) -> None:
    with Board(tmp_path) as board:
        board.wait_for("verdict")
        says(tmp_path, "start", "--by", "Ann")
        while len(status(tmp_path)["before"]) < 2:
            board.wait_for("verdict")
        board.wait_for("reading", quantity="temperature")  # some seconds later it is on disk
    with Board(tmp_path) as board:
        board.wait_for("reading", quantity="cleaning", value=1.0)
        again = status(tmp_path)
        refused = says(tmp_path, "start", "--by", "Eve", code=1)
        cancelled = says(tmp_path, "cancel")
        board.wait_for("cleaning", event="cancel")

    assert (again["state"], again["before"], again["steps"][0]["by"]) == ("cleaning", ["downstream", "upstream"], "Ann")
    assert "A cleaning is under way since" in refused
    assert cancelled.startswith("Cancelled")
    assert says(tmp_path, "report", code=1) == "No cleaning has been reported on so far.\n"


def test_who_signs_must_give_a_name(tmp_path: Path) -> None:
    assert "--by" in says(tmp_path, "finish", code=2)


def test_without_a_firmware_one_is_told_to_start_it(tmp_path: Path) -> None:
    assert "no firmware runs here. Start it" in says(tmp_path, "start", "--by", "Ann", code=2)
