"""A model bundle: a folder or a plain tar, whose `manifest.json` lists each other file with its length and SHA-256."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from ota.errors import BadBundle

MANIFEST: Final = "manifest.json"
MAX_FILES: Final = 256  # the shipped bundle has about ten
MAX_MANIFEST_BYTES: Final = 256_000
MAX_BUNDLE_BYTES: Final = 64_000_000  # read whole into memory; the largest network in sight has 6 MB
MAX_DEPTH: Final = 4  # folders in folders
REMEDY: Final = "Fetch or copy the bundle again; if it stays so, it was built wrongly or tampered with"

_VERIFIED: Final = object()


class Bundle:
    """What a manifest describes, byte for byte: only `open_bundle` makes one, and only after it has checked it all.

    That the *manifest* is the right one is not shown by this: that is TUF's business, or the package's.
    """

    def __init__(self, manifest: bytes, files: Mapping[str, bytes], *, verified: object) -> None:
        if verified is not _VERIFIED:
            raise TypeError("a Bundle is made by open_bundle, which verifies it")
        self.manifest = manifest
        self.files: Mapping[str, bytes] = MappingProxyType(dict(files))
        self.digest = hashlib.sha256(manifest).hexdigest()


def open_bundle(path: Path) -> Bundle:
    """Read the folder or tar at `path` and verify it whole. Raises `BadBundle`.

    A tar may name its folders, and begin all names with `./`, as `tar -C BUNDLE .` does. Refused: links and devices,
    names that lead elsewhere, what is listed and missing, what is there and not listed, any other length or hash, and
    more than `MAX_FILES` files or `MAX_BUNDLE_BYTES` bytes.
    """
    try:
        found = _collect(_folder(path, depth=0) if path.is_dir() else _tar(path))
    except (OSError, tarfile.TarError, ValueError, OverflowError, RecursionError) as error:  # by headers without sense
        raise BadBundle(f"{path}: cannot be read ({error})", remedy=REMEDY) from error
    manifest = found.pop(MANIFEST, None)
    if manifest is None:
        raise BadBundle(f"{path}: has no {MANIFEST}", remedy=REMEDY)
    listed = _listed(manifest)
    for name in sorted(found.keys() | listed.keys()):
        _verify(name, found.get(name), listed.get(name))
    return Bundle(manifest, found, verified=_VERIFIED)


def pack(bundle: Bundle) -> bytes:
    """The bundle as a plain tar (POSIX.1-1988 ustar): the same bytes whether it was opened as a folder or as a tar.

    Names are sorted; times, owners and rights are always the same. Raises `BadBundle` for a name that ustar has no
    room for (100 bytes, or 155 before a slash and 100 after it).
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:", format=tarfile.USTAR_FORMAT, encoding="utf-8") as tar:
        for name, content in sorted({**bundle.files, MANIFEST: bundle.manifest}.items()):
            member = tarfile.TarInfo(name)  # its time, user and group are 0, its mode 0644
            member.size = len(content)
            try:
                tar.addfile(member, io.BytesIO(content))
            except ValueError as error:
                raise BadBundle(f"{name}: {error}", remedy="Give the file a shorter name in the bundle") from error
    return buffer.getvalue()


def recounted(bundle: Bundle, counter: int) -> Bundle:
    """The same bundle with another `release_counter` in its manifest: how old bytes are released again."""
    document = json.loads(bundle.manifest)
    document["release_counter"] = counter
    return Bundle((json.dumps(document, indent=2) + "\n").encode(), bundle.files, verified=_VERIFIED)


class _Entry(NamedTuple):
    name: str
    length: int
    read: Callable[[], bytes]


def _collect(entries: Iterator[_Entry]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    left = MAX_BUNDLE_BYTES
    for entry in entries:
        if not _is_plain(entry.name) or entry.name in found:
            raise BadBundle(f"the name {entry.name!r} leads elsewhere or comes twice", remedy=REMEDY)
        left -= entry.length
        if len(found) == MAX_FILES or left < 0 or (entry.name == MANIFEST and entry.length > MAX_MANIFEST_BYTES):
            raise BadBundle(f"too many files, or too large at {entry.name}", remedy=REMEDY)
        found[entry.name] = entry.read()
    return found


def _is_plain(name: str) -> bool:
    path = PurePosixPath(name)
    return str(path) == name and not path.is_absolute() and ".." not in path.parts and "\\" not in name


def _folder(root: Path, *, depth: int, prefix: str = "") -> Iterator[_Entry]:
    if depth > MAX_DEPTH:
        raise BadBundle(f"folders more than {MAX_DEPTH} deep at {prefix}", remedy=REMEDY)
    with os.scandir(root) as entries:
        for entry in entries:
            name = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                yield from _folder(Path(entry.path), depth=depth + 1, prefix=f"{name}/")
            elif entry.is_file(follow_symlinks=False):
                length = entry.stat(follow_symlinks=False).st_size
                yield _Entry(name, length, _reader(entry.path, length))
            else:
                raise BadBundle(f"{name} is a link or a device", remedy=REMEDY)


def _reader(path: str, length: int) -> Callable[[], bytes]:
    def read() -> bytes:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
            return file.read(length + 1)  # a file that grew since fails its hash

    return read


def _tar(path: Path) -> Iterator[_Entry]:
    folders = 0
    with path.open("rb") as file:
        if (
            os.fstat(file.fileno()).st_size > 2 * MAX_BUNDLE_BYTES
        ):  # with headers and padding; bounds what tarfile reads
            raise BadBundle(f"{path}: too large", remedy=REMEDY)
        with tarfile.open(fileobj=file, mode="r:") as tar:
            for member in tar:
                name = member.name.removeprefix("./")
                if member.type == tarfile.DIRTYPE and _is_plain(name) and folders < MAX_FILES:
                    folders += 1  # nothing is made of it
                elif member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
                    raise BadBundle(f"{member.name} is a link, a device or a folder too many", remedy=REMEDY)
                else:
                    yield _Entry(name, member.size, _member_reader(tar, member))


def _member_reader(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        data = tar.extractfile(member)
        return data.read() if data is not None else b""

    return read


def _listed(manifest: bytes) -> Mapping[str, Any]:
    """The manifest's `files`; all else in it is for whoever uses the model."""
    try:
        document = json.loads(manifest)
    except (ValueError, RecursionError) as error:
        raise BadBundle(f"{MANIFEST} is not JSON ({error})", remedy=REMEDY) from error
    files = document.get("files") if isinstance(document, dict) else None
    if not isinstance(files, dict) or not files:
        raise BadBundle(f"{MANIFEST} lists no files", remedy=REMEDY)
    return files


def _verify(name: str, content: bytes | None, listed: Any) -> None:
    if content is None:
        raise BadBundle(f"{name} is missing", remedy=REMEDY)
    if listed is None:
        raise BadBundle(f"{name} is not listed in {MANIFEST}", remedy=REMEDY)
    actual = {"length": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    if listed != actual:
        raise BadBundle(f"{name} is not the file that {MANIFEST} describes", remedy=REMEDY)
