"""A small TUF repository with real keys, written as static files, and whoever attacks it."""

from __future__ import annotations

import shutil
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

NOW = datetime.now(UTC).replace(microsecond=0)
EXPIRES = NOW + timedelta(days=10)
MODEL = "visual-clean"

_POOL = [CryptoSigner.generate_ed25519() for _ in range(24)]


class SimulatedRepository:
    """In `folder`, laid out as ours are: root and targets 2-of-3, a delegated role for each channel."""

    def __init__(self, folder: Path, *, channels: tuple[str, ...] = ("stable", "canary")) -> None:
        self.folder = folder
        self._spare = list(_POOL)
        self.root = Root(expires=EXPIRES)
        self.timestamp, self.snapshot = Timestamp(expires=EXPIRES), Snapshot(expires=EXPIRES)
        self.targets: dict[str, Targets] = {"targets": Targets(expires=EXPIRES, delegations=Delegations({}, {}))}
        self.signers: dict[str, list[CryptoSigner]] = {}
        for role, count in (("root", 3), ("targets", 3), ("snapshot", 1), ("timestamp", 1)):
            self.exchange_keys(role, count=count)
        for role in ("root", "targets"):
            self.root.roles[role].threshold = 2
        for channel in channels:
            self.delegate(channel, [f"{channel}/*"])
        self._published: set[str] = set()
        self.publish("root", "targets", *channels)
        self.first_root = (folder / "metadata" / "1.root.json").read_bytes()

    def new_key(self) -> CryptoSigner:
        return self._spare.pop()

    def delegate(self, role: str, paths: list[str], *, by: str = "targets") -> Targets:
        delegations = self.targets[by].delegations or Delegations({}, {})
        self.targets[by].delegations = delegations
        assert delegations.roles is not None
        delegations.roles[role] = DelegatedRole(role, [], 1, terminating=True, paths=paths)
        self.targets[role] = Targets(expires=EXPIRES)
        self.exchange_keys(role, by=by)
        return self.targets[role]

    def exchange_keys(self, role: str, *, by: str | None = None, count: int = 1) -> None:
        """New keys for `role`, and only those; its delegator is yet to be published."""
        delegator: Root | Targets = self.targets[by] if by else self.root
        for keyid in list(delegator.get_delegated_role(role).keyids):
            delegator.revoke_key(keyid, role)
        self.signers[role] = [self.new_key() for _ in range(count)]
        for signer in self.signers[role]:
            delegator.add_key(signer.public_key, role)

    def offer(self, counter: int, *, channel: str = "stable", role: str | None = None, **changes: Any) -> None:
        """Publish a bundle, by the channel's role if by no other; `changes` are to its description."""
        custom = {"model": MODEL, "version": f"1.{counter}", "release_counter": counter, "hardware": ["any"], **changes}
        self.put(role or channel, f"{channel}/{MODEL}.tar", b"bundle %d" % counter, custom)
        self.publish(role or channel)

    def put(self, role: str, path: str, content: bytes, custom: dict[str, Any] | None = None) -> None:
        file = TargetFile.from_data(path, content, ["sha256"])
        if custom is not None:
            file.unrecognized_fields["custom"] = {"ductwatch": custom}
        self.targets[role].targets[path] = file

    def publish(self, *roles: str) -> None:
        """The next versions of `roles`, with a snapshot and a timestamp that list them."""
        for role in roles:
            signed: Root | Targets = self.root if role == "root" else self.targets[role]
            self.next_version(role, signed)
            self.write(role, signed)
            if role != "root":
                self.snapshot.meta[f"{role}.json"] = MetaFile(signed.version)
        self.publish_online()

    def publish_online(self) -> None:
        self.next_version("snapshot", self.snapshot)
        self.write("snapshot", self.snapshot)
        self.timestamp.snapshot_meta = MetaFile(self.snapshot.version)
        self.publish_timestamp()

    def publish_timestamp(self) -> None:
        self.next_version("timestamp", self.timestamp)
        self.write("timestamp", self.timestamp)

    def next_version(self, role: str, signed: Root | Timestamp | Snapshot | Targets) -> None:
        signed.version += role in self._published
        self._published.add(role)

    def write(
        self,
        role: str,
        signed: Root | Timestamp | Snapshot | Targets,
        signers: list[CryptoSigner] | None = None,
    ) -> None:
        metadata: Metadata[Any] = Metadata(deepcopy(signed))
        for signer in self.signers[role] if signers is None else signers:
            metadata.sign(signer, append=True)
        path = self.path(role, signed.version)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(metadata.to_bytes())

    def path(self, role: str, version: int) -> Path:
        return self.folder / "metadata" / (f"{role}.json" if role == "timestamp" else f"{version}.{role}.json")

    def copy(self, name: str) -> Path:
        """As it is now, in a folder of its own: what an attacker keeps for later."""
        return Path(shutil.copytree(self.folder, self.folder.with_name(name)))
