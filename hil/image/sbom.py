"""The bill of materials: CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/). Equal images have equal ones."""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
import tarfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

from packaging.utils import canonicalize_name

from firmware import __version__
from hil.image.boards import SUITE, Board
from hil.image.debian import installed
from hil.image.licences import SPDX, licences

OURS = "ductwatch"
OUR_LICENCE = "Apache-2.0"
STATUS = "./var/lib/dpkg/status"
METADATA = re.compile(r"\./opt/ductwatch/.*/site-packages/[^/]+\.dist-info/METADATA")
MANIFEST = re.compile(r"\./opt/ductwatch/.*/site-packages/model/[^/]+/manifest\.json")
COPYRIGHT = re.compile(r"\./usr/share/doc/([^/]+)(/copyright)?")
LIBRARY = re.compile(r"\./opt/ductwatch/.*/site-packages/([^/]+\.libs/[^/]+\.so[^/]*)")  # where auditwheel puts them
SPDX_IDS = frozenset(SPDX.values())
MAX_BYTES = 16 * 1024 * 1024  # of one of these files: dpkg's status has 0.3 MB
MAX_LICENCE = 100  # characters: some projects put the whole text where its name belongs


@dataclass(slots=True)
class Contents:
    """Of a root file system: dpkg's status, the METADATA of each Python package, the manifest of each model.

    Also each Debian package's copyright file, and the SHA-256 of each library that a wheel brings along, by its path.
    """

    dpkg_status: str = ""
    python: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    copyright: dict[str, str] = field(default_factory=dict)
    libraries: dict[str, str] = field(default_factory=dict)


def read_contents(root: Path) -> Contents:
    """From the tar `root`."""
    contents = Contents()
    links = {}
    with tarfile.open(root) as archive:
        for member in archive:
            if member.name == STATUS:
                contents.dpkg_status = _text(archive, member)
            elif METADATA.fullmatch(member.name):
                contents.python.append(_text(archive, member))
            elif MANIFEST.fullmatch(member.name):
                contents.models.append(_text(archive, member))
            elif found := LIBRARY.fullmatch(member.name):
                contents.libraries[found[1]] = _sha256(archive, member)
            elif found := COPYRIGHT.fullmatch(member.name):
                if member.issym():
                    links[found[1]] = _folder(member)
                elif member.isfile():
                    contents.copyright[found[1]] = _text(archive, member)
    for name, target in links.items():
        if target in contents.copyright:
            contents.copyright[name] = contents.copyright[target]
    return contents


def bill_of_materials(
    board: Board, contents: Contents, wheels: Mapping[str, str], key: str, date: datetime
) -> dict[str, Any]:
    """`key` names the image: the bill's serial number is made of it. `wheels`: SHA-256 by name."""
    distributions = [HeaderParser().parsestr(text) for text in contents.python]
    components = [
        *(_debian(package, contents.copyright) for package in installed(contents.dpkg_status)),
        *(  # ours is Debian's ductwatch
            _python(metadata, wheels, contents.libraries) for metadata in distributions if metadata["Name"] != OURS
        ),
        *(_model(json.loads(text)) for text in contents.models),
    ]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid.uuid5(uuid.NAMESPACE_OID, key).urn,
        "version": 1,
        "metadata": {
            "timestamp": date.astimezone(UTC).isoformat(),
            "component": _component("firmware", f"{OURS}-image-{board.architecture}", __version__, "generic"),
        },
        "components": sorted(components, key=lambda component: component["bom-ref"]),
    }


def _component(kind: str, name: str, version: str, source: str, qualifiers: str = "", **more: object) -> dict[str, Any]:
    """`source` is the type and the namespace of a package URL (https://github.com/package-url/purl-spec)."""
    purl = f"pkg:{source}/{quote(name, safe='')}@{quote(version, safe=':')}{qualifiers}"
    return {"type": kind, "bom-ref": purl, "name": name, "version": version, "purl": purl} | more


def _debian(package: Mapping[str, str], copyright_files: Mapping[str, str]) -> dict[str, Any]:
    name, version = package["Package"], package["Version"]
    if name == OURS:
        return _component("application", name, version, "generic", licenses=[{"license": {"id": OUR_LICENCE}}])
    where = f"?arch={package['Architecture']}&distro={SUITE}"
    source = package.get("Source", name)  # `name (version)`, where they differ from the package's own
    properties = [{"name": "debian:source", "value": source}]
    names = licences(copyright_files.get(name, ""))
    stated = [{"license": {"id" if licence in SPDX_IDS else "name": licence}} for licence in names]
    return _component("library", name, version, "deb/debian", where, properties=properties, licenses=stated)


def _python(metadata: Message, wheels: Mapping[str, str], libraries: Mapping[str, str]) -> dict[str, Any]:
    name = canonicalize_name(metadata["Name"])
    component = _component("library", name, metadata["Version"], "pypi", licenses=_licences(metadata))
    if name in wheels:
        component["hashes"] = _hashes(wheels[name])
    inside = [
        _bundled(component["purl"], path, sha256)
        for path, sha256 in sorted(libraries.items())
        if canonicalize_name(path.partition(".libs/")[0]) == name
    ]
    return component | {"components": inside} if inside else component


def _bundled(wheel: str, path: str, sha256: str) -> dict[str, Any]:
    """Its version is not written down; its name is the file's."""
    purl = f"{wheel}#{quote(path)}"
    return {"type": "library", "bom-ref": purl, "name": Path(path).name, "purl": purl, "hashes": _hashes(sha256)}


def _hashes(sha256: str) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": sha256}]


def _licences(metadata: Message) -> list[dict[str, Any]]:
    if expression := metadata["License-Expression"]:
        return [{"expression": expression}]
    name = metadata["License"] or "UNKNOWN"
    return [{"license": {"name": name}}] if name != "UNKNOWN" and len(name) <= MAX_LICENCE else []


def _model(manifest: Mapping[str, Any]) -> dict[str, Any]:
    hashes = _hashes(manifest["files"]["model.tflite"]["sha256"])
    name = f"{OURS}-model-{manifest['name']}"
    return _component("machine-learning-model", name, manifest["version"], "generic", hashes=hashes)


def _text(archive: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    file = archive.extractfile(member)
    return file.read(MAX_BYTES).decode(errors="replace") if file else ""


def _sha256(archive: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    file = archive.extractfile(member)
    return hashlib.sha256(file.read()).hexdigest() if file else ""


def _folder(link: tarfile.TarInfo) -> str:
    """Of which package's documents a link in /usr/share/doc is one, or the whole folder."""
    target = posixpath.normpath(posixpath.join("/", posixpath.dirname(link.name), link.linkname))
    return target.removeprefix("/usr/share/doc/").partition("/")[0]
