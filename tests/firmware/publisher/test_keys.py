"""Keys and their passphrases: wrong, rotated, revoked, elsewhere or foreign."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import pytest
from tuf.api.exceptions import RepositoryError, UnsignedMetadataError

from firmware.publisher.passphrases import PASSPHRASE as VARIABLE
from tests.firmware.publisher.office import PASSPHRASE, Publisher
from tests.ota.bundles import bundle
from tests.ota.publish.client import Client

pytestmark = pytest.mark.real

CANARY = "canary/visual-clean.tar"


def test_keys_are_encrypted_private_and_not_in_what_is_published(begun: Path) -> None:
    keys = sorted((begun / "updates.keys").iterdir())

    assert [key.stem for key in keys if key.stem.startswith("root")] == ["root-1", "root-2", "root-3"]
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}
    assert all(key.read_text().startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----") for key in keys)
    assert not list((begun / "updates").rglob("*.pem"))


def test_a_wrong_passphrase_changes_nothing(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, "not the one of people")
    before = publisher.published()

    assert publisher.does("publish", bundle(publisher.home), "--channel", "canary") == 2

    assert "canary.pem: none of the passphrases opens it" in capsys.readouterr().err
    assert publisher.published() == before


def test_a_passphrase_may_come_from_a_file(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)
    (publisher.home / "secret").write_text(f"{PASSPHRASE}\n")
    made = bundle(publisher.home)

    assert publisher.does("publish", made, "--channel", "canary") == 2
    assert publisher.does("publish", made, "--channel", "canary", "--passphrase-file", publisher.home / "secret") == 0


@pytest.mark.parametrize("role", ["root", "targets", "canary", "snapshot", "timestamp"])
def test_after_a_rotation_the_old_key_has_no_say(publisher: Publisher, client: Client, role: str) -> None:
    publisher.does("publish", bundle(publisher.home), "--channel", "canary")
    assert client.offered(CANARY) == 1
    old = role if role not in ("root", "targets") else f"{role}-2"
    publisher.does("key", publisher.home / "new.pem")

    assert publisher.does("rotate-key", role, old, publisher.home / "new.pem") == 0

    assert client.offered(CANARY) == 1
    (publisher.keys / f"{old}.pem").unlink()
    later = bundle(publisher.home, 2)
    renewed = ("--role", role) if role in ("root", "targets") else ()
    assert publisher.does("refresh", *renewed) == 0
    assert publisher.does("publish", later, "--channel", "canary") == 0
    assert client.offered(CANARY) == 2


def test_a_revoked_key_leaves_a_repository_that_the_others_sign(publisher: Publisher, client: Client) -> None:
    client.updater()

    assert publisher.does("revoke", "root-3", "--role", "root") == 0
    assert publisher.does("revoke", "targets-1", "--role", "targets") == 0

    client.updater()
    root = json.loads((publisher.updates / "metadata" / "3.root.json").read_text())
    assert len(root["signed"]["roles"]["root"]["keyids"]) == 2
    assert len(root["signed"]["roles"]["targets"]["keyids"]) == 2


def test_a_key_without_which_a_role_has_too_few_is_not_revoked(
    publisher: Publisher, capsys: pytest.CaptureFixture[str]
) -> None:
    assert publisher.does("revoke", "canary", "--role", "canary") == 2
    assert "canary needs 1 of 1 keys" in capsys.readouterr().err


def test_a_key_that_has_a_role_gets_no_other(publisher: Publisher, capsys: pytest.CaptureFixture[str]) -> None:
    assert publisher.does("rotate-key", "canary", "canary", publisher.keys / "lab.pem") == 2
    assert "signs lab already" in capsys.readouterr().err


def test_keys_that_are_elsewhere_are_named(publisher: Publisher, capsys: pytest.CaptureFixture[str]) -> None:
    for number in (1, 2):
        (publisher.keys / f"root-{number}.pem").unlink()

    assert publisher.does("refresh", "--role", "root") == 2

    said = capsys.readouterr().err
    assert "root: needs 1 more of root-1" in said
    assert "--ceremony FOLDER" in said


def test_what_is_signed_with_a_foreign_key_is_refused_by_clients(publisher: Publisher, client: Client) -> None:
    publisher.does("publish", bundle(publisher.home), "--channel", "canary")
    path = publisher.updates / "metadata" / "timestamp.json"
    document = json.loads(path.read_text())
    document["signed"]["version"] += 1
    path.write_text(json.dumps(document))

    with pytest.raises(RepositoryError):
        client.updater()
    assert publisher.does("refresh") == 2


def test_a_root_that_too_few_have_signed_is_refused_by_clients_and_by_the_publisher(
    publisher: Publisher, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    publisher.does("refresh", "--role", "root")
    path = publisher.updates / "metadata" / "2.root.json"
    document = json.loads(path.read_text())
    enough = [*document["signatures"]]
    document["signatures"] = enough[:1]
    path.write_text(json.dumps(document))

    with pytest.raises(UnsignedMetadataError):
        client.updater()
    assert publisher.does("refresh") == 2
    assert "root was signed by 1/2 keys" in capsys.readouterr().err

    document["signatures"] = enough[:2]
    path.write_text(json.dumps(document))
    client.updater()


def test_without_the_publisher_s_own_folder_keys_are_named(publisher: Publisher, client: Client) -> None:
    shutil.rmtree(publisher.own)
    keys = [word for name in ("canary", "snapshot", "timestamp") for word in ("--key", publisher.keys / f"{name}.pem")]

    assert publisher.does("publish", bundle(publisher.home), "--channel", "canary") == 2
    assert publisher.does("publish", bundle(publisher.home), "--channel", "canary", *keys) == 0

    assert client.offered(CANARY) == 1
