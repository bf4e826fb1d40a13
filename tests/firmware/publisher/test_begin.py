"""`ductwatch ota init` and `key`: what is made, and what is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from firmware.publisher.passphrases import ONLINE_PASSPHRASE
from firmware.publisher.passphrases import PASSPHRASE as VARIABLE
from tests.firmware.publisher.office import ONLINE, PASSPHRASE, Publisher
from tests.ota.board import QuickDisk
from tests.ota.publish.client import Client

pytestmark = pytest.mark.real


@pytest.fixture
def office(tmp_path: Path) -> Publisher:
    return Publisher(tmp_path)


def test_keyholders_who_keep_their_keys_sign_the_first_root_too(office: Publisher) -> None:
    given: list[str] = []
    for name in ("ann", "bob", "cem"):
        office.does("key", office.home / f"{name}.pem")
        given += ["--key", f"root={office.home / name}.pub"]
    folder = office.home / "first"

    assert office.does("init", office.updates, *given, "--ceremony", folder) == 0
    assert not office.updates.exists()
    assert office.does("sign", folder, "--key", office.home / "ann.pem") == 0
    assert office.does("sign", folder, "--key", office.home / "cem.pem") == 0
    for key in ("targets-1", "targets-2", "stable", "canary", "lab"):
        assert office.does("sign", folder, "--key", office.keys / f"{key}.pem") == 0
    assert office.does("merge", folder) == 0

    Client(office.home / "board", office.updates).updater()
    assert (office.own / "root.json").read_bytes() == (office.updates / "metadata" / "1.root.json").read_bytes()


def test_without_their_keys_and_without_a_ceremony_nothing_is_made(
    office: Publisher, capsys: pytest.CaptureFixture[str]
) -> None:
    given: list[str] = []
    for name in ("ann", "bob"):
        office.does("key", office.home / f"{name}.pem")
        given += ["--key", f"root={office.home / name}.pub"]

    assert office.does("init", office.updates, *given) == 2

    assert "too few private keys of root are here to sign it. Add --ceremony FOLDER" in capsys.readouterr().err
    assert not office.keys.exists()


def test_a_key_that_does_not_open_leaves_no_new_keys_behind(
    office: Publisher, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, "a passphrase of ann")
    office.does("key", office.home / "ann.pem")
    monkeypatch.setenv(VARIABLE, PASSPHRASE)
    before = sorted(office.home.iterdir())

    assert office.does("init", office.updates, "--key", f"canary={office.home / 'ann.pem'}") == 2
    assert "none of the passphrases opens it" in capsys.readouterr().err
    assert sorted(office.home.iterdir()) == before


class Stopped(QuickDisk):
    """Ctrl-C, when so many files have been put in their place."""

    def __init__(self, after: int) -> None:
        self.left = after

    def rename(self, path: Path, to: Path) -> None:
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        super().rename(path, to)


def test_a_new_repository_that_is_stopped_before_it_is_decided_leaves_no_keys_behind(office: Publisher) -> None:
    with pytest.raises(KeyboardInterrupt):
        office.does("init", office.updates, disk=Stopped(1))  # keys.json, and then what decides

    assert not office.keys.exists()
    assert not (office.own / "keys.json").exists()
    assert office.does("init", office.updates) == 0


def test_a_new_repository_that_is_stopped_after_it_is_decided_keeps_its_keys(
    office: Publisher, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        office.does("init", office.updates, disk=Stopped(4))
    assert (office.keys / "root-1.pem").exists()

    assert office.does("init", office.updates) == 0

    assert "That was what this command is to do. Copy" in capsys.readouterr().out
    assert (office.own / "root.json").read_bytes() == (office.updates / "metadata" / "1.root.json").read_bytes()
    assert office.does("refresh") == 0
    Client(office.home / "board", office.updates).updater()


def test_a_command_about_no_repository_leaves_no_trace(office: Publisher) -> None:
    assert office.does("refresh") == 2
    assert list(office.home.iterdir()) == []


def test_an_init_that_was_interrupted_goes_on_with_the_keys_that_it_made(office: Publisher) -> None:
    office.keys.mkdir()
    office.does("key", office.keys / "root-1.pem")
    (office.keys / "root-1.pub").unlink()
    made = (office.keys / "root-1.pem").read_bytes()

    assert office.does("init", office.updates) == 0

    assert (office.keys / "root-1.pem").read_bytes() == made
    Client(office.home / "board", office.updates).updater()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--keys", "updates/keys"), "Keys would be published"),
        (("--signers", "root=2/1"), "M of at most 9 keys"),
        (("--signers", "nobody=1/1"), "there is no role nobody"),
        (("--key", "nobody=a.pem"), "there is no role nobody"),
        (("--key", "root=nowhere.pem"), "nowhere.pem: cannot be read"),
        (("--key", "canary=awskms:1234"), "pip install 'securesystemslib[awskms]'"),
        (("--key", "timestamp=hsm:"), "pip install 'securesystemslib[hsm]'"),
        (("--key", "canary=azurekms://v.vault.azure.net/keys/k"), "pip install 'securesystemslib[azurekms]'"),
        (("--key", "canary=gcpkms:projects/p"), "pip install 'securesystemslib[gcpkms]'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_cannot_be_is_refused_before_anything_is_made(
    office: Publisher,
    words: tuple[str, ...],
    problem: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(office.home)
    try:
        code = office.does("init", "updates", *words)
    except SystemExit as ended:
        code = int(ended.code or 0)

    assert code == 2
    assert problem in capsys.readouterr().err
    assert not office.updates.exists()


def test_one_key_for_two_roles_is_refused(office: Publisher, capsys: pytest.CaptureFixture[str]) -> None:
    office.does("key", office.home / "ann.pem")
    ann = office.home / "ann.pem"

    assert office.does("init", office.updates, "--key", f"root={ann}", "--key", f"canary={ann}") == 2
    assert "has a role already. Each role has keys of its own" in capsys.readouterr().err
    assert not office.updates.exists()
    assert not office.keys.exists()


def test_more_keys_than_a_role_has_places_for_are_refused(
    office: Publisher, capsys: pytest.CaptureFixture[str]
) -> None:
    office.does("key", office.home / "ann.pem")
    office.does("key", office.home / "bob.pem")
    two = [word for name in ("ann", "bob") for word in ("--key", f"canary={office.home / name}.pem")]

    assert office.does("init", office.updates, *two) == 2
    assert "--signers canary=1/2" in capsys.readouterr().err
    assert office.does("init", office.updates, *two, "--signers", "canary=2/2") == 0
    root = json.loads((office.updates / "metadata" / "1.targets.json").read_text())["signed"]
    canary = next(role for role in root["delegations"]["roles"] if role["name"] == "canary")
    assert (canary["threshold"], len(canary["keyids"])) == (2, 2)
    assert (canary["paths"], canary["terminating"]) == (["canary/*"], True)


def test_a_repository_is_not_begun_twice(office: Publisher, capsys: pytest.CaptureFixture[str]) -> None:
    office.does("init", office.updates)
    before = (office.updates / "metadata" / "1.root.json").read_bytes()

    assert office.does("init", office.updates) == 2

    assert "is a repository already" in capsys.readouterr().err
    assert (office.updates / "metadata" / "1.root.json").read_bytes() == before


def test_a_folder_with_something_in_it_is_not_published(office: Publisher, capsys: pytest.CaptureFixture[str]) -> None:
    office.updates.mkdir()
    (office.updates / "notes.txt").write_text("not for everybody")

    assert office.does("init", office.updates) == 2

    assert "All in it would be published" in capsys.readouterr().err
    assert not office.keys.exists()


@pytest.mark.parametrize("phrase", ["", "short"])
def test_keys_are_not_made_without_a_good_passphrase(
    office: Publisher, phrase: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, phrase)

    assert office.does("init", office.updates) == 2

    assert "passphrase" in capsys.readouterr().err
    assert not office.updates.exists()
    assert not office.keys.exists()


def test_a_machines_passphrase_opens_no_key_of_people(
    office: Publisher, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    office.does("init", office.updates)
    monkeypatch.delenv(VARIABLE)

    assert office.does("refresh") == 0
    assert office.does("refresh", "--role", "canary") == 2
    assert "none of the passphrases opens it" in capsys.readouterr().err


def test_a_key_is_never_overwritten(office: Publisher, capsys: pytest.CaptureFixture[str]) -> None:
    office.does("key", office.home / "ann.pem")
    before = (office.home / "ann.pem").read_bytes()

    assert office.does("key", office.home / "ann.pem") == 2

    assert (office.home / "ann.pem").read_bytes() == before


def test_the_variables_are_those_that_the_help_names() -> None:
    assert (VARIABLE, ONLINE_PASSPHRASE) == ("DUCTWATCH_OTA_PASSPHRASE", "DUCTWATCH_OTA_ONLINE_PASSPHRASE")
    assert PASSPHRASE != ONLINE
