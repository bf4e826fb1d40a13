"""`ductwatch ota`, as a publisher uses it, and what a plain TUF client makes of it after each step."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from tuf.api.exceptions import ExpiredMetadataError, RepositoryError, UnsignedMetadataError
from tuf.api.metadata import Snapshot, Timestamp

from firmware.publisher.passphrases import PASSPHRASE as VARIABLE
from ota.bundle import open_bundle, pack
from tests.firmware.publisher.office import NOW, PASSPHRASE, Publisher
from tests.ota.bundles import bundle
from tests.ota.publish.client import Client

pytestmark = pytest.mark.real

DAY = timedelta(days=1)
CANARY, STABLE = "canary/visual-clean.tar", "stable/visual-clean.tar"


def test_a_new_repository_is_accepted_and_offers_nothing(client: Client) -> None:
    assert client.offered(CANARY) is None


def test_keys_are_encrypted_private_and_not_in_what_is_published(begun: Path) -> None:
    keys = sorted((begun / "updates.keys").iterdir())

    assert [key.stem for key in keys if key.stem.startswith("root")] == ["root-1", "root-2", "root-3"]
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}
    assert all(key.read_text().startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----") for key in keys)
    assert not list((begun / "updates").rglob("*.pem"))


def test_what_is_published_is_offered_in_that_channel_alone(publisher: Publisher, client: Client) -> None:
    made = bundle(publisher.home)

    assert publisher.does("publish", made, "--channel", "canary") == 0

    assert client.offered(CANARY) == 1
    assert client.offered(STABLE) is None
    (tar,) = (publisher.updates / "targets" / "canary").iterdir()
    assert tar.read_bytes() == pack(open_bundle(made))


def test_promoted_are_the_same_bytes(publisher: Publisher, client: Client) -> None:
    publisher.does("publish", bundle(publisher.home), "--channel", "canary")

    assert publisher.does("promote", "visual-clean", "--from", "canary", "--to", "stable") == 0

    assert client.offered(STABLE) == 1
    canary, stable = (next((publisher.updates / "targets" / name).iterdir()) for name in ("canary", "stable"))
    assert (stable.name, stable.read_bytes()) == (canary.name, canary.read_bytes())


def test_it_says_what_it_will_do_before_it_does_it(publisher: Publisher, capsys: pytest.CaptureFixture[str]) -> None:
    made = bundle(publisher.home, 2, hardware=["pi5", "cm4"])

    publisher.does("publish", made, "--channel", "canary")

    said = capsys.readouterr().out
    assert "canary gets visual-clean 0.2.0 (release 2) for hardware pi5, cm4" in said
    assert "canary    version 2, expires" in said
    assert "(in 90 days), by 1 of canary (" in said
    assert said.index("(in 90 days)") < said.index("Published.")


def test_without_an_answer_nothing_is_done(publisher: Publisher, capsys: pytest.CaptureFixture[str]) -> None:
    before = snapshot(publisher.updates)

    code = publisher.does("publish", bundle(publisher.home), "--channel", "canary", yes=False)

    assert code == 2
    assert "Add --yes" in capsys.readouterr().err
    assert snapshot(publisher.updates) == before


def test_a_counter_that_is_not_higher_is_refused_and_explained(
    publisher: Publisher, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    publisher.does("publish", bundle(publisher.home, 5), "--channel", "canary")

    assert publisher.does("publish", bundle(publisher.home, 4), "--channel", "stable") == 2

    said = capsys.readouterr().err
    assert "canary offers visual-clean 0.5.0 (release 5), and boards that ever had it do not take" in said
    assert "--again" in said
    assert client.offered(STABLE) is None


def test_the_very_bundle_of_another_channel_is_to_be_promoted(
    publisher: Publisher, capsys: pytest.CaptureFixture[str]
) -> None:
    publisher.does("publish", bundle(publisher.home), "--channel", "canary")

    assert publisher.does("publish", bundle(publisher.home), "--channel", "stable") == 2

    promote = f"ductwatch ota promote visual-clean --from canary --to stable --repository {publisher.updates}"
    assert promote in capsys.readouterr().err


def test_old_bytes_come_back_under_a_higher_counter(publisher: Publisher, client: Client) -> None:
    publisher.does("publish", bundle(publisher.home, 1), "--channel", "stable")
    publisher.does("publish", bundle(publisher.home, 2), "--channel", "stable")
    old = next((publisher.own / "bundles" / "stable" / "visual-clean").glob("*1-*.tar"))

    assert publisher.does("publish", old, "--channel", "stable", "--again") == 0

    assert client.offered(STABLE) == 3
    (new,) = (path for path in (client.home / "targets").iterdir() if path.read_bytes())
    again = open_bundle(new)
    assert again.files == open_bundle(old).files
    assert json.loads(again.manifest)["release_counter"] == 3
    assert json.loads(again.manifest)["version"] == "0.1.0"


def test_a_release_may_be_put_above_what_this_copy_knows(
    publisher: Publisher, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    made = bundle(publisher.home, 5)
    publisher.does("publish", made, "--channel", "canary")

    assert publisher.does("publish", made, "--channel", "stable", "--release-counter", "5") == 2
    assert "add --again to this command for the next free counter, or --release-counter N" in capsys.readouterr().err
    assert publisher.does("publish", made, "--channel", "stable", "--release-counter", "1000") == 0

    assert client.offered(STABLE) == 1000
    assert publisher.does("publish", made, "--channel", "stable", "--release-counter", "1000") == 0
    assert "stable offers visual-clean 0.5.0 (release 1000) already. There is nothing to do" in capsys.readouterr().out


@pytest.mark.parametrize("counter", ["0", "many", str(2**31)])
def test_a_release_counter_is_a_number_that_boards_read(
    publisher: Publisher, counter: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        publisher.does("publish", "ours-1", "--channel", "stable", "--release-counter", counter)
    assert f"{counter!r}: a release counter is a number from 1 to 2147483647" in capsys.readouterr().err


def test_what_is_published_already_is_done(publisher: Publisher, capsys: pytest.CaptureFixture[str]) -> None:
    made = bundle(publisher.home)
    publisher.does("publish", made, "--channel", "canary")
    before = snapshot(publisher.updates)
    capsys.readouterr()

    assert publisher.does("publish", made, "--channel", "canary", "--json") == 0

    assert json.loads(capsys.readouterr().out) == {"done": True, "changes": [], "roles": [], "files": []}
    assert snapshot(publisher.updates) == before


def test_a_slip_in_a_bundle_s_name_is_called_so(publisher: Publisher, capsys: pytest.CaptureFixture[str]) -> None:
    assert publisher.does("publish", publisher.home / "nothere", "--channel", "canary") == 2

    said = capsys.readouterr().err
    assert "nothere: there is no such file or folder. Name a bundle" in said
    assert "tampered" not in said


def test_a_withdrawn_release_is_not_offered_any_more(publisher: Publisher, client: Client) -> None:
    publisher.does("publish", bundle(publisher.home), "--channel", "canary")
    client.offered(CANARY)

    assert publisher.does("revoke", "visual-clean", "--from", "canary") == 0

    assert client.offered(CANARY) is None


def test_what_is_no_bundle_is_not_published(publisher: Publisher, capsys: pytest.CaptureFixture[str]) -> None:
    (publisher.home / "photo.jpg").write_bytes(b"a photo")
    before = snapshot(publisher.updates)

    assert publisher.does("publish", publisher.home / "photo.jpg", "--channel", "canary") == 2

    assert "photo.jpg: cannot be read" in capsys.readouterr().err
    assert snapshot(publisher.updates) == before


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"release_counter": "2"}, "release_counter"),
        ({"hardware": []}, "hardware"),
        ({"version": "one two"}, "version"),
        ({"name": "../evil"}, "name"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_a_manifest_that_boards_cannot_go_by_is_refused_by_the_key(
    publisher: Publisher, wrong: dict[str, object], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = bundle(publisher.home)
    document = json.loads((made / "manifest.json").read_text()) | wrong
    (made / "manifest.json").write_text(json.dumps(document))

    assert publisher.does("publish", made, "--channel", "canary") == 2
    assert f"$.{says}" in capsys.readouterr().err


def test_an_unknown_channel_is_named_with_those_that_are_there(
    publisher: Publisher, capsys: pytest.CaptureFixture[str]
) -> None:
    assert publisher.does("publish", bundle(publisher.home), "--channel", "nightly") == 2
    assert "no channel nightly. There are stable, canary, lab" in capsys.readouterr().err


def difference(base: bytes, target: bytes) -> bytes:
    """Says of what it is one; no client looks into it."""
    return b"from " + base[-9000:-8000] + b" to " + target[-9000:-8000]


def test_deltas_are_offered_from_what_the_channel_offered_before(publisher: Publisher, client: Client) -> None:
    for counter in range(1, 7):
        made = bundle(publisher.home, counter)
        assert publisher.does("publish", made, "--channel", "canary", make_delta=difference) == 0

    updater = client.updater()
    found = updater.get_targetinfo(CANARY)
    assert found is not None
    deltas = {delta["base"]: delta["path"] for delta in found.custom["ductwatch"]["deltas"]}
    tars = {hashlib.sha256(tar).hexdigest(): tar for tar in map(packed, [publisher.home] * 6, range(1, 7))}
    assert list(map(list(tars).index, sorted(deltas, key=list(tars).index))) == [1, 2, 3, 4]  # the last four
    for base, path in deltas.items():
        listed = updater.get_targetinfo(path)
        assert listed is not None
        assert Path(updater.download_target(listed)).read_bytes() == difference(tars[base], packed(publisher.home, 6))
        assert path == f"canary/visual-clean.from-{base[:16]}.delta"


def packed(home: Path, counter: int) -> bytes:
    return pack(open_bundle(bundle(home, counter)))


def test_a_delta_that_saves_too_little_is_not_offered(publisher: Publisher, client: Client) -> None:
    publisher.does("publish", bundle(publisher.home, 1), "--channel", "canary")
    publisher.does(
        "publish",
        bundle(publisher.home, 2),
        "--channel",
        "canary",
        make_delta=lambda _, new: new[: len(new) * 3 // 5],
    )

    found = client.updater().get_targetinfo(CANARY)
    assert found is not None
    assert found.custom["ductwatch"]["deltas"] == []


def test_boards_may_have_a_bundle_that_no_channel_offered(publisher: Publisher, client: Client) -> None:
    factory, new = bundle(publisher.home, 1), bundle(publisher.home, 2)

    publisher.does("publish", new, "--channel", "canary", "--base", factory, make_delta=difference)

    found = client.updater().get_targetinfo(CANARY)
    assert found is not None
    (delta,) = found.custom["ductwatch"]["deltas"]
    assert delta["base"] == hashlib.sha256(packed(publisher.home, 1)).hexdigest()


def test_a_wrong_passphrase_changes_nothing(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, "not the one of people")
    before = snapshot(publisher.updates)

    assert publisher.does("publish", bundle(publisher.home), "--channel", "canary") == 2

    assert "canary.pem: none of the passphrases opens it" in capsys.readouterr().err
    assert snapshot(publisher.updates) == before


def test_a_passphrase_may_come_from_a_file(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)
    (publisher.home / "secret").write_text(f"{PASSPHRASE}\n")
    made = bundle(publisher.home)

    assert publisher.does("publish", made, "--channel", "canary") == 2
    assert publisher.does("publish", made, "--channel", "canary", "--passphrase-file", publisher.home / "secret") == 0


def test_an_expired_repository_is_refused_until_it_is_refreshed(publisher: Publisher, client: Client) -> None:
    assert publisher.does("refresh", later=-3 * DAY) == 0
    with pytest.raises(ExpiredMetadataError):
        client.updater()

    assert publisher.does("refresh") == 0

    client.updater()


def test_refreshing_signs_the_snapshot_only_when_half_its_time_is_over(publisher: Publisher, client: Client) -> None:
    publisher.does("refresh", later=1 * DAY)
    assert not (publisher.updates / "metadata" / "2.snapshot.json").exists()

    publisher.does("refresh", later=8 * DAY)

    assert (publisher.updates / "metadata" / "2.snapshot.json").exists()
    client.updater()


@pytest.mark.parametrize("days", [1, 2, 14])
def test_refreshing_may_be_for_longer_than_two_days(
    publisher: Publisher, client: Client, capsys: pytest.CaptureFixture[str], days: int
) -> None:
    assert publisher.does("refresh", "--for", str(days), later=1 * DAY) == 0

    assert f"(in {days} day" in capsys.readouterr().out
    metadata = publisher.updates / "metadata"
    timestamp = Timestamp.from_dict(json.loads((metadata / "timestamp.json").read_bytes())["signed"])
    listed = metadata / f"{timestamp.snapshot_meta.version}.snapshot.json"
    assert timestamp.expires == NOW.replace(microsecond=0) + (1 + days) * DAY
    assert timestamp.expires <= Snapshot.from_dict(json.loads(listed.read_bytes())["signed"]).expires
    client.updater()


@pytest.mark.parametrize("days", ["0", "15", "-1"])
def test_no_timestamp_is_good_for_longer_than_a_snapshot(
    publisher: Publisher, capsys: pytest.CaptureFixture[str], days: str
) -> None:
    assert publisher.does("refresh", f"--for={days}") == 2
    assert f"--for {days}: a timestamp is good for 1 to 14 days" in capsys.readouterr().err


def test_keyholders_do_not_say_for_how_long_a_timestamp_is_good(publisher: Publisher) -> None:
    assert publisher.does("refresh", "--role", "root", "--for", "7", "--ceremony", publisher.home / "ceremony") == 2
    assert not (publisher.home / "ceremony").exists()


def test_refreshing_warns_of_roles_that_people_must_renew_soon_and_is_done_all_the_same(
    publisher: Publisher, capsys: pytest.CaptureFixture[str]
) -> None:
    assert publisher.does("refresh", later=70 * DAY) == 0
    shown = capsys.readouterr()
    assert "stable: expires" in shown.err
    assert f"ductwatch ota refresh --role stable --repository {publisher.updates}" in shown.err
    assert "Published." in shown.out

    assert publisher.does("refresh", "--role", "stable", "--role", "canary", "--role", "lab", later=70 * DAY) == 0
    assert capsys.readouterr().err == ""


def test_showing_tells_a_monitor_of_roles_that_expire_soon(
    publisher: Publisher, capsys: pytest.CaptureFixture[str]
) -> None:
    publisher.does("refresh", later=70 * DAY)
    capsys.readouterr()

    assert publisher.does("show", "--json", later=70 * DAY) == 1

    shown = capsys.readouterr()
    assert shown.err.count("renew it: ductwatch ota refresh --role") == 3
    assert [line.partition(":")[0] for line in json.loads(shown.out)["late"]] == ["stable", "canary", "lab"]


def test_showing_tells_a_monitor_of_a_machine_that_signs_no_more(
    publisher: Publisher, capsys: pytest.CaptureFixture[str]
) -> None:
    assert publisher.does("show", later=1 * DAY) == 0
    capsys.readouterr()

    assert publisher.does("show", later=3 * DAY) == 1

    assert "timestamp: EXPIRED on" in capsys.readouterr().err


def append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def turn_a_bit(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])


@pytest.mark.parametrize(
    ("name", "harm", "says"),
    [
        ("targets/canary/*.tar", Path.unlink, "is missing"),
        ("targets/canary/*.tar", append, "were signed"),
        ("targets/canary/*.tar", turn_a_bit, "is damaged: its sha256 is another than was signed"),
        ("metadata/2.canary.json", append, "were signed"),
        ("metadata/2.root.json", Path.unlink, "is missing: boards that have an older root need it"),
    ],
    ids=["a lost tar", "a longer tar", "another tar", "a longer channel", "a lost root"],
)
def test_showing_finds_what_is_missing_or_damaged(
    publisher: Publisher, name: str, harm: Callable[[Path], None], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    publisher.does("publish", bundle(publisher.home), "--channel", "canary")
    publisher.does("refresh", "--role", "root")
    publisher.does("refresh", "--role", "root")
    assert publisher.does("show") == 0
    (file,) = publisher.updates.glob(name)
    harm(file)
    capsys.readouterr()

    assert publisher.does("show") == 1

    (line,) = capsys.readouterr().err.splitlines()
    assert str(file) in line
    assert says in line
    assert "Copy it back from the repository's server" in line


def test_a_lost_timestamp_is_named(publisher: Publisher, capsys: pytest.CaptureFixture[str]) -> None:
    (publisher.updates / "metadata" / "timestamp.json").unlink()

    assert publisher.does("refresh") == 2

    said = capsys.readouterr().err
    assert f"{publisher.updates}/metadata/timestamp.json is missing. Copy it back" in said
    assert "init" not in said


def test_an_expired_root_is_followed_by_a_new_one(publisher: Publisher, client: Client) -> None:
    roles = ("--role", "root", "--role", "targets", "--role", "stable", "--role", "canary", "--role", "lab")
    publisher.does("refresh", *roles, later=-800 * DAY)
    with pytest.raises(ExpiredMetadataError):
        client.updater()

    assert publisher.does("refresh", *roles) == 0

    client.updater()
    assert (publisher.updates / "metadata" / "3.root.json").exists()


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


def test_a_repository_says_what_it_is(publisher: Publisher, capsys: pytest.CaptureFixture[str]) -> None:
    publisher.does("publish", bundle(publisher.home, 3), "--channel", "canary")
    capsys.readouterr()

    assert publisher.does("show") == 0
    words = capsys.readouterr().out
    assert publisher.does("show", "--json") == 0
    document = json.loads(capsys.readouterr().out)

    assert "canary offers visual-clean 0.3.0 (release 3)" in words
    assert "stable offers nothing" in words
    assert "signed by 2 of root-1 (" in words
    assert [role["days_left"] for role in document["roles"]] == [730, 365, 90, 90, 90, 14, 2]
    assert document["channels"]["canary"][0]["release_counter"] == 3


def test_two_commands_do_not_work_on_one_repository_at_once(
    publisher: Publisher, capsys: pytest.CaptureFixture[str]
) -> None:
    handle = os.open(publisher.own / "lock", os.O_RDWR)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        assert publisher.does("refresh") == 2
    finally:
        os.close(handle)
    assert "another command works on" in capsys.readouterr().err


def test_without_the_publisher_s_own_folder_keys_are_named(publisher: Publisher, client: Client) -> None:
    shutil.rmtree(publisher.own)
    keys = [word for name in ("canary", "snapshot", "timestamp") for word in ("--key", publisher.keys / f"{name}.pem")]

    assert publisher.does("publish", bundle(publisher.home), "--channel", "canary") == 2
    assert publisher.does("publish", bundle(publisher.home), "--channel", "canary", *keys) == 0

    assert client.offered(CANARY) == 1


def test_a_ceremony_is_not_laid_where_it_would_be_published(
    publisher: Publisher, capsys: pytest.CaptureFixture[str]
) -> None:
    place = publisher.updates / "ceremony"

    assert publisher.does("refresh", "--role", "root", "--ceremony", place) == 2

    assert "It would be published" in capsys.readouterr().err
    assert not place.exists()


def test_a_program_gets_json_and_nothing_else(publisher: Publisher, capsys: pytest.CaptureFixture[str]) -> None:
    assert publisher.does("publish", bundle(publisher.home), "--channel", "canary", "--json") == 0

    document = json.loads(capsys.readouterr().out)
    assert document["done"] is True
    assert [role["role"] for role in document["roles"]] == ["canary", "snapshot", "timestamp"]
    assert document["files"][-1] == "metadata/timestamp.json"


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
