"""At a terminal: passphrases are typed and not shown, and nothing is done without a yes."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from firmware.publisher.passphrases import ONLINE_PASSPHRASE
from firmware.publisher.passphrases import PASSPHRASE as VARIABLE
from tests.firmware.publisher.office import ONLINE, PASSPHRASE, Publisher

pytestmark = pytest.mark.real

LIMIT_S = 60
BLIND = {VARIABLE: "", ONLINE_PASSPHRASE: ""}


def typed(home: Path, dialogue: list[tuple[str, str]], *words: str) -> tuple[int, str]:
    """Run a command on a terminal of its own: what is typed after which prompt. Its exit status, and all it showed."""
    master, slave = os.openpty()
    command = [sys.executable, "-m", "firmware", "ota", *words]
    environment = os.environ | BLIND | {"PYTHONPATH": str(Path(__file__).parents[3])}
    with subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, cwd=home, env=environment, start_new_session=True
    ) as running:
        os.close(slave)
        shown, fresh, answers = "", "", list(dialogue)
        while select.select([master], [], [], LIMIT_S)[0]:
            try:
                fresh += os.read(master, 4096).decode()
            except OSError:  # the other side is closed: it has ended
                break
            if answers and fresh.rstrip().endswith(answers[0][0]):
                shown, fresh = shown + fresh, ""  # the same prompt may come again
                os.write(master, f"{answers.pop(0)[1]}\n".encode())
        os.close(master)
        code = running.wait(LIMIT_S)
    assert not answers, shown + fresh
    return code, shown + fresh


def test_a_repository_is_begun_by_somebody_who_types(tmp_path: Path) -> None:
    dialogue = [
        ("Go on? [y/N]", "y"),
        ("New passphrase for all other keys:", PASSPHRASE),
        ("Once more:", PASSPHRASE),
        ("New passphrase for the keys of snapshot and timestamp:", ONLINE),
        ("Once more:", ONLINE),
    ]

    code, shown = typed(tmp_path, dialogue, "init", "updates")

    assert code == 0, shown
    assert "root      valid 730 days, 2 of 3 keys must sign" in shown
    assert PASSPHRASE not in shown
    assert (tmp_path / "updates" / "metadata" / "timestamp.json").exists()


def test_two_passphrases_that_differ_make_nothing(tmp_path: Path) -> None:
    dialogue = [
        ("Go on? [y/N]", "y"),
        ("New passphrase for all other keys:", PASSPHRASE),
        ("Once more:", PASSPHRASE + "."),
    ]

    code, shown = typed(tmp_path, dialogue, "init", "updates")

    assert code == 2
    assert "the two passphrases differ. Nothing was made" in shown
    assert list(tmp_path.iterdir()) == []


def test_a_no_to_a_new_repository_leaves_no_trace(tmp_path: Path) -> None:
    code, shown = typed(tmp_path, [("Go on? [y/N]", "n")], "init", "updates")

    assert code == 1, shown
    assert list(tmp_path.iterdir()) == []


def test_a_no_is_a_no(publisher: Publisher) -> None:
    before = (publisher.updates / "metadata" / "timestamp.json").read_bytes()

    code, shown = typed(publisher.home, [("Go on? [y/N]", "")], "refresh")

    assert code == 1
    assert "Nothing was done." in shown
    assert (publisher.updates / "metadata" / "timestamp.json").read_bytes() == before


def test_a_slip_in_a_passphrase_is_forgiven(publisher: Publisher) -> None:
    dialogue = [
        ("Go on? [y/N]", "yes"),
        ("Passphrase of timestamp.pem:", "a slip of the fingers"),
        ("Passphrase of timestamp.pem:", ONLINE),
    ]

    code, shown = typed(publisher.home, dialogue, "refresh")

    assert code == 0, shown
    assert shown.count("That was wrong.") == 1
    assert "Published." in shown
