"""Offline roles: prepared here, signed by each keyholder elsewhere, merged here."""

from __future__ import annotations

import json
import re
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from tests.firmware.publisher.office import Publisher
from tests.ota.bundles import bundle
from tests.ota.publish.client import Client

pytestmark = pytest.mark.real

CANARY = "canary/visual-clean.tar"
DAY = timedelta(days=1)


@pytest.fixture
def vault(publisher: Publisher) -> Path:
    """Where the keyholders have their keys: not with the publisher any more."""
    vault = publisher.home / "vault"
    vault.mkdir()
    for key in publisher.keys.iterdir():
        if key.stem not in ("snapshot", "timestamp"):
            key.rename(vault / key.name)
    return vault


@pytest.fixture
def ceremony(publisher: Publisher, vault: Path) -> Path:
    """A root that is to be renewed."""
    folder = publisher.home / "ceremony"
    assert publisher.does("refresh", "--role", "root", "--ceremony", folder) == 0
    return folder


def test_a_release_is_signed_by_whoever_holds_the_channels_key(
    publisher: Publisher, client: Client, vault: Path
) -> None:
    folder = publisher.home / "release"
    assert publisher.does("publish", bundle(publisher.home), "--channel", "canary", "--ceremony", folder) == 0
    assert client.offered(CANARY) is None

    assert publisher.does("sign", folder, "--key", vault / "canary.pem") == 0
    assert publisher.does("merge", folder) == 0

    assert client.offered(CANARY) == 1


def test_who_prepared_it_is_told_how_to_publish_it_in_this_repository(
    publisher: Publisher, vault: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = publisher.home / "for ann"

    publisher.does("refresh", "--role", "root", "--ceremony", folder)

    said = capsys.readouterr().out
    assert f"ductwatch ota sign '{folder}' --key KEY" in said
    assert f"ductwatch ota merge '{folder}' --repository {publisher.updates}\n" in said


def test_below_its_threshold_nothing_is_published_and_who_is_missing_is_named(
    publisher: Publisher, client: Client, ceremony: Path, vault: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publisher.does("sign", ceremony, "--key", vault / "root-1.pem")

    assert publisher.does("merge", ceremony) == 1

    said = capsys.readouterr().err
    assert "root: signed by root-1" in said
    assert "needs 1 more of root-2" in said
    client.updater()
    assert not (publisher.updates / "metadata" / "2.root.json").exists()


def test_copies_that_were_signed_apart_are_put_together(
    publisher: Publisher, client: Client, ceremony: Path, vault: Path
) -> None:
    copy = publisher.home / "by mail"
    shutil.copytree(ceremony, copy)
    publisher.does("sign", ceremony, "--key", vault / "root-1.pem")
    publisher.does("sign", copy, "--key", vault / "root-3.pem")

    assert publisher.does("merge", ceremony, copy) == 0

    client.updater()
    assert (publisher.updates / "metadata" / "2.root.json").exists()


def test_a_keyholder_reads_what_changes_before_signing(
    publisher: Publisher, vault: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = publisher.home / "rotation"
    publisher.does("key", publisher.home / "ann.pem")
    publisher.does("rotate-key", "root", "root-1", publisher.home / "ann.pub", "--ceremony", folder)
    capsys.readouterr()

    assert publisher.does("sign", folder, "--key", vault / "root-2.pem", yes=False) == 2

    said = capsys.readouterr().out
    assert "root: may be signed by ann (" in said
    assert "root: can no longer be signed by root-1 (" in said
    assert "root      version 2, expires" in said
    assert "not at hand" not in said
    assert "Then this holds:\n  root: signed by 2 of ann (" in said
    assert (folder / "summary.txt").read_text() in said.replace("To be signed:\n", "")
    assert not list((folder / "signatures").iterdir())


def test_a_new_root_is_signed_by_the_old_keys_and_by_the_new(
    publisher: Publisher, client: Client, vault: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = publisher.home / "rotation"
    publisher.does("key", publisher.home / "ann.pem")
    publisher.does("rotate-key", "root", "root-1", publisher.home / "ann.pub", "--ceremony", folder)
    publisher.does("sign", folder, "--key", publisher.home / "ann.pem")
    publisher.does("sign", folder, "--key", vault / "root-1.pem")
    assert publisher.does("merge", folder) == 1
    assert publisher.does("sign", folder, "--key", vault / "root-3.pem") == 0

    assert publisher.does("merge", folder) == 0

    client.updater()
    signed = json.loads((publisher.updates / "metadata" / "2.root.json").read_text())["signed"]
    names = [signed["keys"][keyid]["x-ductwatch-name"] for keyid in signed["roles"]["root"]["keyids"]]
    assert names == ["ann", "root-2", "root-3"]


def test_who_has_signed_is_named(
    publisher: Publisher, ceremony: Path, vault: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()

    publisher.does("sign", ceremony, "--key", vault / "root-1.pem", "--key", vault / "root-2.pem")

    assert re.search(r"Signed: root by root-1 \(\w{8}\), root by root-2 \(\w{8}\)\. Send", capsys.readouterr().out)


def test_a_key_of_another_role_signs_nothing(
    publisher: Publisher, ceremony: Path, vault: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert publisher.does("sign", ceremony, "--key", vault / "targets-1.pem") == 2

    said = capsys.readouterr().err
    assert "targets-1 (" in said
    assert "signs targets, and here root must be signed" in said
    assert not list((ceremony / "signatures").iterdir())


def test_a_public_key_signs_nothing(publisher: Publisher, ceremony: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publisher.does("key", publisher.home / "ann.pem")

    assert publisher.does("sign", ceremony, "--key", publisher.home / "ann.pub") == 2
    assert "Name your private one" in capsys.readouterr().err


def test_a_ceremony_is_merged_once(
    publisher: Publisher, ceremony: Path, vault: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (1, 2):
        publisher.does("sign", ceremony, "--key", vault / f"root-{number}.pem")
    assert publisher.does("merge", ceremony) == 0

    assert publisher.does("merge", ceremony) == 2
    assert "version 2 of root was prepared, and the next one is 3" in capsys.readouterr().err


def test_a_ceremony_that_took_too_long_is_refused(
    publisher: Publisher, vault: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = publisher.home / "late"
    publisher.does("publish", bundle(publisher.home), "--channel", "canary", "--ceremony", folder)
    publisher.does("sign", folder, "--key", vault / "canary.pem")

    assert publisher.does("merge", folder, later=91 * DAY) == 2
    assert "canary expired" in capsys.readouterr().err


TAMPERED = {
    "a target": ("targets/canary/visual-clean.tar", b"evil", "is not what the metadata describes"),
    "a target that nobody vouches for": ("targets/canary/evil.tar", b"evil", "is not what the metadata describes"),
    "metadata": ("metadata/canary.json", b"{}", "is damaged"),
    "a signature": ("signatures/canary.KEY.json", b'{"keyid": "KEY", "sig": "00"}', "is false"),
    "no signature": ("signatures/canary.KEY.json", b"[]", "is no signature"),
    "a stranger's signature": ("signatures/canary.x.json", b'{"keyid": "x", "sig": "00"}', "not signed by a key x"),
}


@pytest.mark.parametrize(("name", "content", "problem"), TAMPERED.values(), ids=TAMPERED)
def test_a_folder_that_was_tampered_with_is_refused(
    publisher: Publisher, client: Client, name: str, content: bytes, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = publisher.home / "ceremony"
    publisher.does("publish", bundle(publisher.home), "--channel", "canary", "--ceremony", folder)
    targets = json.loads((folder / "before" / "targets.json").read_text())["signed"]["delegations"]["roles"]
    (keyid,) = next(role["keyids"] for role in targets if role["name"] == "canary")
    (folder / name.replace("KEY", keyid)).write_bytes(content.replace(b"KEY", keyid.encode()))

    assert publisher.does("merge", folder) == 2

    assert problem in capsys.readouterr().err
    assert client.offered(CANARY) is None


def test_a_target_that_is_no_release_is_shown_to_whoever_signs(
    publisher: Publisher, vault: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = publisher.home / "ceremony"
    publisher.does("publish", bundle(publisher.home), "--channel", "canary", "--ceremony", folder)
    path = folder / "metadata" / "canary.json"
    document = json.loads(path.read_text())
    document["signed"]["targets"]["canary/run.sh"] = {"length": 1, "hashes": {"sha256": "00"}}
    document["signed"]["x-more"] = "a"
    path.write_text(json.dumps(document))
    capsys.readouterr()

    publisher.does("sign", folder, "--key", vault / "canary.pem", yes=False)

    said = capsys.readouterr().out
    assert "CAREFUL: canary vouches for canary/run.sh, which is no release" in said
    assert "CAREFUL: canary says x-more = 'a'" in said


def test_whoever_signs_sees_the_keys_that_count_even_if_all_that_was_before_is_made_up(
    publisher: Publisher, vault: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    liar = Publisher(publisher.home / "liar")
    liar.home.mkdir()
    liar.does("key", liar.home / "mallory.pem")
    ours = [word for number in (1, 2, 3) for word in ("--key", f"targets={vault / f'targets-{number}.pem'}")]
    assert liar.does("init", liar.updates, *ours, "--key", f"canary={liar.home / 'mallory.pem'}") == 0
    assert liar.does("refresh", "--role", "targets", "--ceremony", liar.home / "ceremony") == 0
    capsys.readouterr()

    publisher.does("sign", liar.home / "ceremony", "--key", vault / "targets-1.pem", yes=False)

    said = capsys.readouterr().out
    assert "nothing changes but versions and dates" in said
    assert "canary: signed by 1 of mallory (" in said.partition("Then this holds:")[2]


def test_whoever_merges_sees_who_has_signed(
    publisher: Publisher, ceremony: Path, vault: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (1, 2):
        publisher.does("sign", ceremony, "--key", vault / f"root-{number}.pem")
    capsys.readouterr()

    publisher.does("merge", ceremony)

    said = capsys.readouterr().out
    assert re.search(r"by 2 of root-1 \(\w+\) has signed, root-2 \(\w+\) has signed, root-3 \(\w+\) not at hand", said)


def test_a_folder_of_something_else_is_no_ceremony(publisher: Publisher, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in (publisher.home, publisher.updates, publisher.home / "nowhere"):
        assert publisher.does("merge", folder) == 2
        assert "is no ceremony" in capsys.readouterr().err


def test_a_ceremony_never_replaces_another(
    publisher: Publisher, ceremony: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert publisher.does("refresh", "--role", "root", "--ceremony", ceremony) == 2
    assert "is there already" in capsys.readouterr().err
