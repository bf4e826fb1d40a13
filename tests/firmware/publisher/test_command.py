"""What all of `ductwatch ota` have in common."""

from __future__ import annotations

import fcntl
import json
import os

import pytest

from tests.firmware.publisher.office import Publisher
from tests.ota.bundles import bundle
from tests.ota.publish.client import Client

pytestmark = pytest.mark.real

CANARY = "canary/visual-clean.tar"


def test_a_new_repository_is_accepted_and_offers_nothing(client: Client) -> None:
    assert client.offered(CANARY) is None


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
