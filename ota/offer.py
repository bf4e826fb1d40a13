"""What a channel's role says of a bundle, in the `custom` of its TUF target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Protocol

import msgspec
from msgspec import Meta

from ota.bundle import MAX_BUNDLE_BYTES
from ota.errors import Untrusted
from ota.types import Delta, Release, Target

MAX_TARGET_BYTES: Final = 2 * MAX_BUNDLE_BYTES  # of a tar, as `open_bundle` has it
MAX_COUNTER: Final = 2**31 - 1
REMEDY: Final = "Nothing was taken from it. Publish the release again, by a `ductwatch` that fits this board's"

Sha256 = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Name = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9._+-]{0,63}\Z")]


class File(Protocol):
    """A target as the metadata describes it: tuf's `TargetFile`."""

    @property
    def length(self) -> int: ...
    @property
    def hashes(self) -> Mapping[str, str]: ...
    @property
    def custom(self) -> Any: ...


LookUp = Callable[[str], File | None]


class _Delta(msgspec.Struct):
    base: Sha256
    path: Annotated[str, Meta(min_length=1, max_length=256)]


class _Custom(msgspec.Struct):
    """Fields that are not known are passed over, so that old boards follow a newer publisher."""

    model: Name
    version: Name
    release_counter: Annotated[int, Meta(ge=1, le=MAX_COUNTER)]
    hardware: Annotated[list[Name], Meta(min_length=1, max_length=32)]
    deltas: Annotated[list[_Delta], Meta(max_length=8)] = []


def path_of(channel: str, model: str) -> str:
    return f"{channel}/{model}.tar"


def offered(look_up: LookUp, channel: str, model: str) -> Release | None:
    """What `channel` has of `model`; None where it has none. Raises `Untrusted` where it is not described as agreed.

    A delta that is no target is left out: there is still the whole bundle.
    """
    path = path_of(channel, model)
    file = look_up(path)
    if file is None:
        return None
    custom = _custom(path, file.custom)
    if custom.model != model:
        raise Untrusted(f"{path}: is of the model {custom.model}", remedy=REMEDY)
    deltas = []
    for delta in custom.deltas:
        if not delta.path.startswith(f"{channel}/"):
            raise Untrusted(f"{path}: its delta {delta.path!r} is outside of the channel", remedy=REMEDY)
        delta_file = look_up(delta.path)
        if delta_file is not None:
            deltas.append(Delta(target=_target(delta.path, delta_file), base=delta.base))
    return Release(
        target=_target(path, file),
        model=custom.model,
        version=custom.version,
        counter=custom.release_counter,
        hardware=tuple(custom.hardware),
        deltas=tuple(deltas),
    )


def _custom(path: str, custom: Any) -> _Custom:
    try:
        return msgspec.convert(custom["ductwatch"] if isinstance(custom, dict) else None, _Custom)
    except KeyError as error:
        raise Untrusted(f"{path}: is not described for ductwatch", remedy=REMEDY) from error
    except msgspec.ValidationError as error:
        raise Untrusted(f"{path}: is not described as agreed ({error})", remedy=REMEDY) from error


def _target(path: str, file: File) -> Target:
    try:
        sha256 = msgspec.convert(file.hashes.get("sha256"), Sha256)
    except msgspec.ValidationError as error:
        raise Untrusted(f"{path}: has no SHA-256", remedy=REMEDY) from error
    if not 0 < file.length <= MAX_TARGET_BYTES:
        raise Untrusted(f"{path}: says it has {file.length} bytes, of at most {MAX_TARGET_BYTES}", remedy=REMEDY)
    return Target(path=path, length=file.length, sha256=sha256)
