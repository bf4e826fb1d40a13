"""Which private keys are at hand, and where each is: `keys.json` in the publisher's folder. It holds no secret."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from securesystemslib.signer import Key, Signer

from ota.publish import keys
from ota.publish.errors import Refused
from ota.storage import Disk

MAX_BYTES = 100_000


class Keyring:
    """Opens a key when it is first needed, and at most once."""

    def __init__(self, places: Mapping[str, str], secrets: keys.Secrets) -> None:
        """`places` by keyid: a file or a URI."""
        self._places = dict(places)
        self._secrets = secrets
        self._open: dict[str, Signer] = {}

    def at_hand(self, keyid: str) -> bool:
        """Whether its file is there. Whether a cloud or a module signs shows when it is asked."""
        where = self._places.get(keyid, "")
        return bool(where) and (keys.is_uri(where) or Path(where).is_file())

    def signer(self, key: Key) -> Signer:
        """Raises `Refused`, also for a wrong passphrase."""
        if key.keyid not in self._open:
            self._open[key.keyid] = keys.signer(self._places[key.keyid], key, self._secrets)
        return self._open[key.keyid]


def added(where: Iterable[str], secrets: keys.Secrets) -> dict[str, str]:
    """Places by keyid of keys that somebody names; those of public keys have none, and are left out."""
    found = (keys.public(each, secrets) for each in where)
    return {key.keyid: place for place, key in found if place}


def load(path: Path, disk: Disk) -> dict[str, str]:
    """What is kept of earlier commands; nothing where there is no file."""
    content = disk.read(path, MAX_BYTES)
    try:
        found = json.loads(content) if content else {}
        return {str(keyid): str(where) for keyid, where in found.items()}
    except (ValueError, AttributeError) as error:
        raise Refused(f"{path} is damaged ({error})", remedy="Remove it, and name the keys by --key") from error


def save(path: Path, places: Mapping[str, str], disk: Disk) -> None:
    disk.make_folder(path.parent)
    disk.replace(path, (json.dumps(dict(sorted(places.items())), indent=2) + "\n").encode())
