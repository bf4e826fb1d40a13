from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from firmware.publisher.passphrases import ONLINE_PASSPHRASE
from firmware.publisher.passphrases import PASSPHRASE as VARIABLE
from tests.firmware.publisher.office import ONLINE, PASSPHRASE, Publisher
from tests.ota.publish.client import Client


@pytest.fixture(autouse=True)
def passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, PASSPHRASE)
    monkeypatch.setenv(ONLINE_PASSPHRASE, ONLINE)


@pytest.fixture(scope="package")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository that nobody changes."""
    home = tmp_path_factory.mktemp("begun")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, PASSPHRASE)
        patch.setenv(ONLINE_PASSPHRASE, ONLINE)
        assert Publisher(home).does("init", home / "updates") == 0
    return home


@pytest.fixture
def publisher(begun: Path, tmp_path: Path) -> Publisher:
    """One whose repository is there, with all keys at hand."""
    return copied(begun, tmp_path / "office")


@pytest.fixture
def client(publisher: Publisher, tmp_path: Path) -> Client:
    return Client(tmp_path / "board", publisher.updates, (publisher.own / "root.json").read_bytes())


def copied(home: Path, to: Path) -> Publisher:
    """The same office elsewhere, with its own keys."""
    shutil.copytree(home, to)
    publisher = Publisher(to)
    places = json.loads((publisher.own / "keys.json").read_text())
    here = {keyid: str(publisher.keys / Path(where).name) for keyid, where in places.items()}
    (publisher.own / "keys.json").write_text(json.dumps(here))
    return publisher
