"""A publisher of models beside the bench: its repository is made by `ductwatch ota` itself, and served to the board."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

from hil.host import Host
from model.manifest import parse_manifest
from model.shipped import shipped_bundle

LIMIT_S = 120.0  # of a command, on a busy host
SECRETS = {
    "DUCTWATCH_OTA_PASSPHRASE": "of the people at the bench",
    "DUCTWATCH_OTA_ONLINE_PASSPHRASE": "of the machine at the bench",
}
SHIPPED = parse_manifest((shipped_bundle() / "manifest.json").read_bytes())


class Publisher:
    """`updates` is the repository. The board finds it at `address` once it is served, as it was then."""

    def __init__(self, host: Host) -> None:
        self._home = host.files.folder.with_name("publisher")
        shutil.rmtree(self._home, ignore_errors=True)
        self._home.mkdir(parents=True)
        self.updates = self._home / "updates"
        self._served = host.files.folder / "models"
        self.address = f"http://{host.host}:{host.files.port}/{self._served.name}"
        self._ota("init", "updates")

    @property
    def root(self) -> str:
        """What boards trust."""
        return (self._home / "updates.publisher" / "root.json").read_text()

    def publish(self, version: str, counter: int) -> str:
        """The model that ships, as another release, which may be as slow as emulation makes it; its name."""
        bundle = self._home / f"{SHIPPED.name}-{version}"
        shutil.copytree(shipped_bundle(), bundle)
        changes = {"version": version, "release_counter": counter, "latency_budget_ms": {"any": 10_000}}
        manifest = bundle / "manifest.json"
        manifest.write_text(json.dumps(json.loads(manifest.read_bytes()) | changes))
        self._ota("publish", bundle.name, "--channel", "stable")
        return f"{SHIPPED.name} {version}"

    def serve(self) -> None:
        """All of it as it is now."""
        shutil.rmtree(self._served, ignore_errors=True)
        shutil.copytree(self.updates, self._served)

    def _ota(self, *words: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "firmware", "ota", *words, "--yes"],
            cwd=self._home,
            env={**os.environ, **SECRETS},
            check=True,
            timeout=LIMIT_S,
        )
