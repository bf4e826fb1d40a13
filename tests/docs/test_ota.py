"""Each command of docs/ota.md works as it is written, one after the other, and what the page says of it is so."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tuf.api.exceptions import BadVersionNumberError

from firmware.cli import parser
from firmware.publisher.command import WORTH_A_DELTA, main
from firmware.publisher.passphrases import ONLINE_PASSPHRASE, PASSPHRASE
from ota.publish import keys, store, words
from ota.publish.roles import LIFETIMES, QUORUMS
from tests.ota.bundles import bundle
from tests.ota.publish.client import Client

pytestmark = pytest.mark.real

PAGE = (Path(__file__).parents[2] / "docs" / "ota.md").read_text(encoding="utf-8")
LINES = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
ASKS_NOTHING = {"show", "key"}
LATER = {"ductwatch ota publish ours-1 --channel stable --again": 2}
"""After these lines, what stable offers."""


def carry_out(line: str, now: datetime | None = None) -> int:
    if not line.startswith("ductwatch "):
        return subprocess.run(line, shell=True, check=False).returncode
    arguments = shlex.split(line)[1:]
    agreed = [] if arguments[1] in ASKS_NOTHING or "--yes" in arguments else ["--yes"]  # as somebody at a terminal
    return main(parser().parse_args([*arguments, *agreed]), now=now)


def test_the_commands_of_the_page_lead_where_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(PASSPHRASE, "a passphrase of people")
    monkeypatch.setenv(ONLINE_PASSPHRASE, "a passphrase of a machine")
    Path("machine.txt").write_text("a passphrase of a machine\n")
    bundle(tmp_path, 1, name="ours")
    client = None

    for line in LINES:
        if line.startswith("aws "):
            continue  # there is no bucket here
        assert carry_out(line) == 0, line
        if line.startswith("ductwatch ota init updates"):
            client = Client(tmp_path / "board", tmp_path / "updates")
        if client is not None:
            client.updater()
        if line in LATER:
            assert client is not None
            assert client.offered("stable/ours.tar") == LATER[line]

    Client(tmp_path / "other", tmp_path / "fleet").updater()
    signed = json.loads(Path("fleet/metadata/3.root.json").read_text())["signed"]
    names = [signed["keys"][keyid]["x-ductwatch-name"] for keyid in signed["roles"]["root"]["keyids"]]
    assert names == ["ann", "gil", "cem"]


def test_the_way_out_with_an_older_copy_is_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = re.findall(r"`(ductwatch ota publish ours-1 [^`]*--release-counter[^`]*)`", PAGE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(PASSPHRASE, "a passphrase of people")
    monkeypatch.setenv(ONLINE_PASSPHRASE, "a passphrase of a machine")
    bundle(tmp_path, 1, name="ours")
    carry_out("ductwatch ota init updates")
    client = Client(tmp_path / "board", tmp_path / "updates")
    shutil.copytree("updates", "older")
    carry_out("ductwatch ota publish ours-1 --channel stable")
    for _ in range(3):
        carry_out("ductwatch ota publish ours-1 --channel stable --again")
    assert client.offered("stable/ours.tar") == 4
    shutil.rmtree("updates")
    Path("older").rename("updates")
    with pytest.raises(BadVersionNumberError):
        client.updater()

    assert carry_out(line) == 0
    for role in ("stable", "snapshot", "timestamp"):
        carry_out(f"ductwatch ota key {role}-2.pem")
        assert carry_out(f"ductwatch ota rotate-key {role} {role} {role}-2.pem") == 0

    assert client.offered("stable/ours.tar") == 1000


def test_what_cron_does_goes_on_when_a_role_expires_soon_and_somebody_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refresh, show = re.findall(r"cd /srv/models && (ductwatch ota [^>\n]*) >", PAGE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(PASSPHRASE, "a passphrase of people")
    monkeypatch.setenv(ONLINE_PASSPHRASE, "a passphrase of a machine")
    Path("machine.txt").write_text("a passphrase of a machine\n")
    carry_out("ductwatch ota init updates")
    monkeypatch.delenv(PASSPHRASE)
    monkeypatch.delenv(ONLINE_PASSPHRASE)
    in_spring = datetime.now(UTC) + timedelta(days=70)
    capsys.readouterr()

    assert carry_out(refresh, in_spring) == 0
    assert "stable: expires" in capsys.readouterr().err
    assert carry_out(show, in_spring) == 1
    assert "renew it: ductwatch ota refresh --role stable\n" in capsys.readouterr().err


def test_the_page_knows_every_action_of_a_publisher() -> None:
    used = {line.split()[2] for line in LINES if line.startswith("ductwatch ota ")}

    assert used == {
        "init", "key", "publish", "promote", "sign", "merge", "refresh", "rotate-key", "revoke", "show",
    }  # fmt: skip


def test_the_numbers_on_the_page_are_those_of_the_program() -> None:
    table = dict(re.findall(r"^\| `(\w+)`[^|]*\|[^|]*\| (\d of \d)", PAGE, re.MULTILINE))

    assert {role: f"{QUORUMS[role].threshold} of {QUORUMS[role].keys}" for role in table} == table
    assert (LIFETIMES["root"].days, LIFETIMES["targets"].days) == (2 * 365, 365)
    assert (LIFETIMES["stable"].days, LIFETIMES["snapshot"].days, LIFETIMES["timestamp"].days) == (90, 14, 2)
    assert f"`--for` takes 1 to {LIFETIMES['snapshot'].days} days" in PAGE
    assert store.KEPT == 4
    assert "the last four bundles" in PAGE
    assert f"smaller than {WORTH_A_DELTA:.0%} of".replace("%", " %") in PAGE.replace("\n", " ")
    assert f"at least {keys.LEAST_PASSPHRASE} characters" in PAGE
    assert f"warns {words.SOON.days} days before" in PAGE
