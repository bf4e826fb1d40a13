"""What is published, promoted, withdrawn and offered as a delta, and what a plain TUF client makes of it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from ota.bundle import open_bundle, pack
from tests.firmware.publisher.office import Publisher
from tests.ota.bundles import bundle
from tests.ota.publish.client import Client

pytestmark = pytest.mark.real

CANARY, STABLE = "canary/visual-clean.tar", "stable/visual-clean.tar"


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
    before = publisher.published()

    code = publisher.does("publish", bundle(publisher.home), "--channel", "canary", yes=False)

    assert code == 2
    assert "Add --yes" in capsys.readouterr().err
    assert publisher.published() == before


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
    before = publisher.published()
    capsys.readouterr()

    assert publisher.does("publish", made, "--channel", "canary", "--json") == 0

    assert json.loads(capsys.readouterr().out) == {"done": True, "changes": [], "roles": [], "files": []}
    assert publisher.published() == before


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
    before = publisher.published()

    assert publisher.does("publish", publisher.home / "photo.jpg", "--channel", "canary") == 2

    assert "photo.jpg: cannot be read" in capsys.readouterr().err
    assert publisher.published() == before


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
