"""What a channel offers: releases, as they are written in its targets and read out of them. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from tuf.api.metadata import TargetFile, Targets

from ota import offer
from ota.bundle import MANIFEST, Bundle
from ota.errors import BadBundle, Untrusted
from ota.types import Delta, Release, Target

CUSTOM = "ductwatch"
REMEDY = "Build the bundle again with `ductwatch model train` or `calibrate`, which write a whole manifest"

Slug = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")]
"""It becomes part of file names and addresses, where S3 takes + for a blank."""


class _Manifest(msgspec.Struct, frozen=True):
    name: Slug
    version: offer.Name
    release_counter: Annotated[int, Meta(ge=1, le=offer.MAX_COUNTER)]
    hardware: Annotated[tuple[offer.Name, ...], Meta(min_length=1, max_length=32)]


def release_of(bundle: Bundle, tar: bytes, channel: str) -> Release:
    """What `bundle`, packed as `tar`, is when `channel` offers it.

    Raises `BadBundle` if its manifest does not say which model, version, counter and hardware it is.
    """
    try:
        manifest = msgspec.json.decode(bundle.manifest, type=_Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadBundle(f"{MANIFEST}: {error}", remedy=REMEDY) from error
    return Release(
        target=target_of(f"{channel}/{manifest.name}.tar", tar),
        model=manifest.name,
        version=manifest.version,
        counter=manifest.release_counter,
        hardware=manifest.hardware,
    )


def placed(release: Release, channel: str, deltas: Mapping[str, bytes]) -> Release:
    """The same release as `channel` offers it, with `deltas` by the SHA-256 of the tar that they start from."""
    return replace(
        release,
        target=replace(release.target, path=f"{channel}/{release.model}.tar"),
        deltas=tuple(
            Delta(target=target_of(f"{channel}/{release.model}.from-{base[:16]}.delta", delta), base=base)
            for base, delta in sorted(deltas.items())
        ),
    )


def target_of(path: str, content: bytes) -> Target:
    """The file at the target path `path`."""
    return Target(path=path, length=len(content), sha256=hashlib.sha256(content).hexdigest())


def written(release: Release) -> dict[str, TargetFile]:
    """The release as entries of its channel's targets."""
    custom = {
        "model": release.model,
        "version": release.version,
        "release_counter": release.counter,
        "hardware": list(release.hardware),
        "deltas": [{"base": delta.base, "path": delta.target.path} for delta in release.deltas],
    }
    made = {delta.target.path: _file(delta.target) for delta in release.deltas}
    return {release.target.path: _file(release.target, {"custom": {CUSTOM: custom}}), **made}


def offered(signed: Targets) -> dict[str, Release]:
    """Releases by model, as a board reads them. What no board takes for a release is left out: `others` has it."""
    found = {}
    for path in signed.targets:
        channel, _, name = path.partition("/")
        model = name.removesuffix(".tar")
        try:
            release = offer.offered(signed.targets.get, channel, model) if name.endswith(".tar") else None
        except Untrusted:
            continue
        if release is not None:
            found[model] = release
    return found


def others(signed: Targets) -> dict[str, dict[str, Any]]:
    """Targets that belong to no release, as they are written: this program makes none."""
    known = {path for release in offered(signed).values() for path in written(release)}
    return {path: file.to_dict() for path, file in signed.targets.items() if path not in known}


def _file(target: Target, more: dict[str, Any] | None = None) -> TargetFile:
    return TargetFile(target.length, {"sha256": target.sha256}, target.path, more)
