"""`ductwatch ota rollout` at an operator's laptop: what it says, what it refuses, how it exits."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from firmware import rollout_command
from firmware.cli import parser
from firmware.errors import ConfigError
from firmware.fleet.service import Service
from firmware.fleet.store import Store
from ota.job_messages import Status
from ota.jobs import Noted, Offer
from tests.firmware.fleet.builders import PREFIX, Board

pytestmark = pytest.mark.real

NOW = 1_700_000_000
START = "start r1 --model visual-clean --release-counter 12 --soak 0s --cohorts 50,100 --max-failures 40"


class Laptop:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.path = folder / "fleet.sqlite"
        self._capsys = capsys

    def types(self, line: str) -> tuple[int, str]:
        """Exit code, and what it printed on stdout."""
        arguments = parser().parse_args(["ota", "rollout", *shlex.split(line), "--state", str(self.path)])
        code = rollout_command.main(arguments)
        return code, self._capsys.readouterr().out

    def json(self, line: str) -> dict[str, Any]:
        decoded: dict[str, Any] = json.loads(self.types(f"{line} --json")[1])
        return decoded

    def refused(self, line: str) -> str:
        with pytest.raises(ConfigError) as error:
            self.types(line)
        return str(error.value)


@pytest.fixture
def laptop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Laptop:
    return Laptop(tmp_path, capsys)


class Serving:
    """The server's part, for boards that the broker told of."""

    def __init__(self, laptop: Laptop, *names: str) -> None:
        self.store = Store(laptop.path)
        self.service = Service(self.store, PREFIX, wall_s=lambda: NOW)
        for name in names:
            self.service.received(f"{PREFIX}/{name}/availability", b"online")

    def report(self, name: str, status: Status, **details: str) -> None:
        board = Board(name)
        asked = board.port.next()
        (offer, *_) = board.hears(self.service.received(asked.topic, asked.payload))
        assert isinstance(offer, Offer)
        said = board.port.finish(offer.job, status, details)
        (noted, *_) = board.hears(self.service.received(said.topic, said.payload))
        assert isinstance(noted, Noted)


def test_a_rollout_goes_from_start_to_finished(laptop: Laptop) -> None:
    serving = Serving(laptop, "duct-1", "duct-2", "pump-1")
    code, text = laptop.types(f"{START} --boards 'duct-*'")
    assert code == 0
    assert "r1  running  visual-clean 12 of stable: 2 boards, 2 waiting" in text

    for _ in range(4):
        serving.service.tick(1)
        for name in serving.store.waiting_boards():
            serving.report(name, Status.SUCCEEDED, version="1.2.0")

    told = laptop.json("status r1")
    assert (told["phase"], told["totals"]["succeeded"]) == ("finished", 2)
    assert [one["details"] for one in told["boards"]] == [{"version": "1.2.0"}] * 2
    assert laptop.types("watch r1")[0] == 0


def test_a_rollout_that_failed_says_which_boards_and_exits_with_one(laptop: Laptop) -> None:
    serving = Serving(laptop, "duct-1")
    laptop.types(f"{START} --boards 'duct-*'")
    serving.service.tick(1)
    serving.report("duct-1", Status.FAILED, reason="no room")
    serving.service.tick(1)

    code, text = laptop.types("status r1")

    assert code == 1
    assert "r1  aborted" in text
    assert "1 of 1 boards of cohort" in text
    assert "duct-1  failed       online      reason no room" in text
    assert laptop.types("status")[0] == laptop.types("watch r1")[0] == 1


def test_why_a_board_failed_comes_first_and_whole(laptop: Laptop) -> None:
    serving = Serving(laptop, "duct-1")
    laptop.types(f"{START} --boards 'duct-*'")
    serving.service.tick(1)
    why = "13 of 20 pictures were called the other way round than by the model that counts, more than 20 %"
    serving.report("duct-1", Status.FAILED, version="2.0.0", step="refused", release="visual-clean 2.1.0", reason=why)

    _, text = laptop.types("status r1 --all")

    expected = f"failed       online      reason {why}, version 2.0.0, step refused, release visual-clean 2.1.0"
    assert text.splitlines()[-1] == f"  duct-1  {expected}"


def test_pause_resume_and_abort_do_what_they_say_and_say_when_they_cannot(laptop: Laptop) -> None:
    laptop.types(f"{START} --boards duct-1")

    codes = [
        laptop.types(line)[0] for line in ("resume r1", "pause r1", "pause r1", "resume r1", "abort r1 --reason no")
    ]

    assert codes == [1, 0, 1, 0, 0]
    assert (laptop.json("status r1")["phase"], laptop.json("status r1")["why"]) == ("aborted", "no")
    assert laptop.types("resume r1")[0] == 1


def test_what_is_over_can_be_forgotten_and_nothing_else(laptop: Laptop) -> None:
    laptop.types(f"{START} --boards duct-1")
    assert laptop.types("forget r1")[0] == 1
    laptop.types("abort r1")
    assert laptop.types("forget r1") == (0, "r1 is forgotten.\n")
    assert laptop.types("status") == (0, "No rollout was started.\n")


@pytest.mark.parametrize("line", ["status", "status r1", "watch r1", "pause r1", "forget r1", "status --json"])
def test_a_fleets_file_that_is_not_there_is_said_and_not_made(laptop: Laptop, line: str) -> None:
    assert f"there is no file {laptop.path}: " in laptop.refused(line)
    assert not laptop.path.exists()


def test_that_nobody_serves_is_said_where_all_rollouts_are_listed_too(laptop: Laptop) -> None:
    laptop.types(f"{START} --boards duct-1")
    nobody = "nobody serves rollouts now"

    assert nobody in laptop.types("status r1")[1]
    assert nobody in laptop.types("status")[1]
    laptop.types("abort r1")
    assert nobody not in laptop.types("status")[1]


def test_boards_come_from_a_file_with_remarks(laptop: Laptop, tmp_path: Path) -> None:
    listed = tmp_path / "boards"
    listed.write_text("\ufeff# kitchen\nduct-1  # first\n\nduct-2\nduct-1\n")

    told = laptop.json(f"{START} --boards-file {listed}")

    assert [one["board"] for one in told["boards"]] == ["duct-1", "duct-2"]
    assert not told["is_served"]


REFUSALS = {
    "--boards 'duct-*'": "the broker has told of no board like duct-*. Run `ductwatch ota jobs-server` first",
    "--boards duct/1": "'duct/1' cannot be a board",
    "--boards duct-1 --cohorts 10,50": "percents must grow and end in 100",
    "--boards duct-1 --max-failures 400": "max_failures: Expected `float` <= 1.0",
    "--boards duct-1 --max-failures nan": "max_failures: Expected `float` >= 0.0",
    "--boards duct-1 --min-results 0": "min_results: Expected `int` >= 1",
    "--boards duct-1 --channel ../x": "channel: Expected `str` matching regex",
    "--boards duct-1 --jitter 2d": "jitter_s: Expected `int` <= 86400",
    "--boards duct-1 --jitter 1d": "count as failed if they are silent for 24 h 0 min: give a longer --deadline",
    "--boards duct-1 --not-before 2999-01-01": "give a longer --deadline",
    "--boards duct-1 --aws thing": "write arn:aws:iot:REGION:ACCOUNT:thing",
    "--boards-file /nowhere": "/nowhere: cannot be read: No such file",
}


@pytest.mark.parametrize(("boards", "words"), REFUSALS.items(), ids=REFUSALS)
def test_a_start_that_cannot_be_is_refused_and_leaves_nothing(laptop: Laptop, boards: str, words: str) -> None:
    assert words in laptop.refused(f"{START} {boards}")
    assert not laptop.path.exists()


@pytest.mark.parametrize("content", ["", "# nobody\n", "a b\n", "\xff\xfe"], ids=repr)
def test_a_list_that_names_no_boards_is_refused_by_its_line(laptop: Laptop, tmp_path: Path, content: str) -> None:
    listed = tmp_path / "boards"
    listed.write_bytes(content.encode("latin-1"))

    assert str(listed) in laptop.refused(f"{START} --boards-file {listed}")


@pytest.mark.parametrize(
    ("command", "codes"),
    [
        ("rollout", [0, 1, 2, 130]),
        ("rollout start", [0, 2]),
        ("rollout status", [0, 1, 2]),
        ("rollout watch", [0, 1, 2, 130]),
        ("rollout pause", [0, 1, 2]),
        ("rollout resume", [0, 1, 2]),
        ("rollout abort", [0, 1, 2]),
        ("rollout forget", [0, 1, 2]),
        ("jobs-server", [0, 2, 130]),
    ],
)
def test_the_help_of_each_command_names_its_exit_statuses(
    command: str, codes: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["ota", *command.split(), "--help"])
    _, _, exits = capsys.readouterr().out.partition("exit status:\n")

    assert [int(line.split()[0]) for line in exits.splitlines()] == codes


def test_names_of_rollouts_are_used_once_and_unknown_ones_are_said(laptop: Laptop) -> None:
    laptop.types(f"{START} --boards duct-1")

    assert "there was a rollout 'r1' before" in laptop.refused(f"{START} --boards duct-1")
    assert laptop.refused("pause r9") == "there is no rollout 'r9'. There are: r1"


def test_for_aws_there_is_a_line_for_each_cohort_and_nothing_is_started(laptop: Laptop, tmp_path: Path) -> None:
    listed = tmp_path / "boards"
    listed.write_text("\n".join(f"duct-{number}" for number in range(230)))
    arn = "arn:aws:iot:eu-central-1:123456789012:thing"

    code, text = laptop.types(f"{START} --boards-file {listed} --deadline 30d --aws {arn}")
    jobs = [shlex.split(line) for line in text.splitlines() if not line.startswith("#")]

    assert code == 0
    targets = [[word for word in words if word.startswith(arn)] for words in jobs]
    assert sorted(word.rpartition("/")[2] for some in targets for word in some) == sorted(listed.read_text().split())
    assert all(len(some) <= 100 for some in targets)
    first = dict(zip(jobs[0][3::2], jobs[0][4::2], strict=False))
    assert first["--job-id"] == "r1-1-1"
    assert json.loads(jobs[0][jobs[0].index("--document") + 1])["release_counter"] == 12
    abort = json.loads(jobs[0][jobs[0].index("--abort-config") + 1])["criteriaList"][0]
    assert (abort["thresholdPercentage"], abort["minNumberOfExecutedThings"]) == (40.0, 5)
    assert jobs[0][-1] == '{"inProgressTimeoutInMinutes": 10080}'
    assert not laptop.path.exists()
