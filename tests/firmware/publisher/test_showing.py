"""`ductwatch ota show`: what a monitor is told of a repository."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.firmware.publisher.office import Publisher
from tests.ota.bundles import bundle

pytestmark = pytest.mark.real

DAY = timedelta(days=1)


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
