"""docs/ota-board.md says what a board does, and each of its commands works as it is written."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from firmware.config import parse
from firmware.update.examining import MEASURE_S, SNAPSHOTS
from firmware.update.fitness import FEWEST_RUNS
from firmware.update.settings import MIB, UpdateSettings
from firmware.update.trial import ANSWER_LIMIT_S
from firmware.update_command import DOING
from model.manifest import Manifest, parse_manifest
from model.shipped import shipped_bundle
from ota import download, pace
from ota.slot_states import LIMIT_S, MAX_BAD, MAX_HISTORY, MAX_STARTS, SlotState
from ota.slots import SPARE_BYTES, STEADY_S
from tests.firmware.update.lives import Life, Site
from tests.ota.web_server import web_server

PAGE = (Path(__file__).parents[2] / "docs" / "ota-board.md").read_text(encoding="utf-8")
(SETTINGS,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
(JSON,) = re.findall(r"## JSON\n(.*?)\n## ", PAGE, re.DOTALL)
ROWS = dict(re.findall(r"^\| (`.*?`) \| (.*?) \|$", JSON, re.MULTILINE))
MEMORY = next(one for one in msgspec.structs.fields(Manifest) if one.name == "memory_mib")
OWN = {"root", "repository", "hardware", "windows", "jobs", "jobs_prefix", "jobs_thing"}


def test_the_settings_shown_are_all_there_are_with_their_defaults() -> None:
    shown, defaults = parse(SETTINGS + "[uplink]\n", Path("docs/ota-board.md")).update, UpdateSettings()

    assert {line.split(" = ")[0] for line in SETTINGS.splitlines()[1:]} == set(UpdateSettings.__struct_fields__)
    assert {name for name in defaults.__struct_fields__ if getattr(shown, name) != getattr(defaults, name)} == OWN
    assert (shown.bytes_per_s, shown.daily_bytes) == (MIB, 64 * MIB)


@pytest.mark.real
def test_the_commands_lead_where_the_page_says_and_the_fields_are_those_of_the_table(tmp_path: Path) -> None:
    with web_server() as server:
        site = Site(tmp_path, server, every="6h")
        with Life(site, tmp_path / "board") as life:
            life.until("verdict")
            for line in COMMANDS:
                assert carried_out(line, site, life) == 0, line
                if line == "ductwatch ota check":
                    life.until("update", step="kept")
                if line == "ductwatch ota history":
                    reply = life.asked(command="update")
            before = parse_manifest((shipped_bundle() / "manifest.json").read_bytes())
            life.until("verdict", model={"name": before.name, "version": before.version})

    assert {name for cell in ROWS for name in names(cell)} == reply.keys() - {"schema"}
    for field, inner in (("running", reply["running"]), ("last", reply["last"])):
        assert inner.keys() <= names(ROWS[f"`{field}`"])
    for field in ("slots", "history"):
        assert reply[field][0].keys() <= names(ROWS[f"`{field}`"])
    assert names(ROWS["`doing`"]) == DOING.keys()


def carried_out(line: str, site: Site, life: Life) -> int:
    """The exit status of a command at that board, where the stick is a copy of the repository."""
    assert site.server.folder is not None
    here = line.replace("/media/stick", str(site.server.folder))
    words = [sys.executable, "-m", "firmware", *shlex.split(here)[1:], "--data", str(life.data)]
    return subprocess.run(words, check=False, timeout=120).returncode


def names(cell: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", cell))


def of_a_state(state: SlotState) -> str:
    (row,) = re.findall(rf"^\| `{state.value}` \|.*$", PAGE, re.MULTILINE)
    return str(row)


def test_the_numbers_on_the_page_are_those_of_the_program() -> None:
    text = PAGE.replace("\n", " ")
    spoken: list[tuple[str, Any, Any]] = [
        ("for 10 s in which 3 snapshots are taken", (MEASURE_S, SNAPSHOTS), (10, 3)),
        ("at least 40 of them", FEWEST_RUNS, 40),
        ("hangs for 20 s", ANSWER_LIMIT_S, 20),
        ("Three starts of the firmware", MAX_STARTS, 3),
        ("has run for 15 min", STEADY_S, 15 * 60),
        ("the last 64 are remembered", MAX_BAD, 64),
        ("(the last 50)", MAX_HISTORY, 50),
        ("and 16 MiB more", (SPARE_BYTES, download.SPARE_BYTES), (16 * MIB, 16 * MIB)),
        ("up to 1 MiB that came", download.SYNC_BYTES, MIB),
        ("128 MiB if nothing", MEMORY.default, 128.0),
        ("silent for 30 s", pace.Pace().silence_s, 30),
        ("slower than 200 bytes/s for a minute", (pace.Pace().least_bytes_a_second, pace.Pace().window_s), (200, 60)),
        ("| 2 h at a time |", pace.Pace().deadline_s, 2 * 3600),
        ("| 5 min |", pace.METADATA.deadline_s, 300),
    ]

    for said, program, page in spoken:
        assert said in text
        assert program == page, said
    assert of_a_state(SlotState.STAGED).endswith("| 1 d |")
    assert LIMIT_S[SlotState.STAGED] == 86_400
    assert float(UpdateSettings().trial_at_most) == LIMIT_S[SlotState.TRIAL]
