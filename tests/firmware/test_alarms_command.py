"""`ductwatch alarms`, as an operator uses it beside the running firmware."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware.wording import since
from tests.firmware.test_run import DUCTWATCH, LIMIT_S, Board

pytestmark = pytest.mark.real

RULES = """
[[rule]]
name = "pm_there"
signal = "pm2_5"
above = "0.1 ug/m3"
severity = "high"
reference = "a test"
[rule.annotations]
cause = "There is air."
consequence = "It is breathed."
action = "Breathe on."
"""


class Operator:
    """Whoever stands before the board."""

    def __init__(self, data: Path) -> None:
        self.data = data

    def does(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [*DUCTWATCH, "alarms", *words, "--data", str(self.data)]
        return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)

    def sees(self, *words: str) -> Any:
        done = self.does(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    folder = tmp_path_factory.mktemp("board")
    (folder / "rules.toml").write_text(RULES)
    simulated = (Path(__file__).parents[2] / "firmware" / "simulated_board.toml").read_text()
    (folder / "board.toml").write_text(f'{simulated}\n[rules]\npath = "{folder}/rules.toml"\n')
    with Board(folder / "data", "--config", str(folder / "board.toml")) as board:
        board.wait_for("alarm", rule="pm_there")
        yield Operator(folder / "data")


def test_an_alarm_is_listed_with_what_to_do(operator: Operator) -> None:
    [alarm] = operator.sees()["alarms"]
    shown = operator.does("list").stdout

    assert (alarm["rule"], alarm["state"], alarm["withheld"]) == ("pm_there", "unacknowledged", [])
    assert shown.startswith(f"HIGH      pm_there/{alarm['source']}  unacknowledged for ")
    assert "There is air.\n          Breathe on." in shown


def test_it_is_shelved_with_reason_and_name_and_the_journal_knows(operator: Operator) -> None:
    source = operator.sees()["alarms"][0]["source"]

    done = operator.does("shelve", f"pm_there/{source}", "--for", "2h", "--reason", "filter change", "--by", "ann")
    [shelved] = operator.sees("list")["alarms"]
    shown = operator.does().stdout
    back = operator.does("unshelve", f"pm_there/{source}")
    *_, taken, told = operator.sees("history", "--limit", "5")["moves"]

    assert (done.returncode, done.stdout) == (
        0,
        f"pm_there/{source}  shelve: unacknowledged, shelved, by ann: filter change\n",
    )
    assert shelved["shelf"] == {"left_s": shelved["shelf"]["left_s"], "reason": "filter change", "by": "ann"}
    assert 7000 < shelved["shelf"]["left_s"] <= 7200
    assert "h more, by ann: filter change" in shown or "min more, by ann: filter change" in shown
    assert back.returncode == 0
    assert (taken["event"], taken["by"], told["event"]) == ("shelve", "ann", "unshelve")


def test_what_changes_nothing_says_so(operator: Operator) -> None:
    done = operator.does("reset", "pm_there/nowhere")

    assert (done.returncode, done.stdout) == (1, "Nothing changed: no such alarm, or it is not in a state for this.\n")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("ack", "pm_there"), "'pm_there' is no alarm: write RULE/SOURCE"),
        (("shelve", "a/b", "--for", "8d", "--reason", "x"), "shelve: for must be more than nothing and at most 7d"),
        (("shelve", "a/b", "--for", "soon", "--reason", "x"), "shelve: for must be a duration such as"),
    ],
)
def test_what_cannot_be_done_is_explained(operator: Operator, words: tuple[str, ...], problem: str) -> None:
    done = operator.does(*words)

    assert done.returncode == 2
    assert f"ductwatch: {problem}" in done.stderr


def test_without_a_firmware_one_is_told_to_start_it(tmp_path: Path) -> None:
    done = Operator(tmp_path).does()

    assert done.returncode == 2
    assert "no firmware runs here. Start it" in done.stderr


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (61, "1 min"), (3600, "1 h"), (7205, "2 h"), (90_061, "1 d 1 h")]
)
def test_times_are_short(seconds: float, words: str) -> None:
    assert since(seconds) == words
