"""The bill of materials: CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/). Equal images have equal ones."""

from __future__ import annotations

import json
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

from firmware import __version__
from hil.image.boards import SUITE, Board
from hil.image.debian import installed

OURS = "ductwatch"
OUR_LICENCE = "Apache-2.0"
STATUS = "./var/lib/dpkg/status"
METADATA = re.compile(r"\./opt/ductwatch/.*/site-packages/[^/]+\.dist-info/METADATA")
MANIFEST = re.compile(r"\./opt/ductwatch/.*/site-packages/model/[^/]+/manifest\.json")
MAX_BYTES = 16 * 1024 * 1024  # of one of these files: dpkg's status has 0.3 MB
MAX_LICENCE = 100  # characters: some projects put the whole text where its name belongs


@dataclass(slots=True)
class Contents:
    """Of a root file system: dpkg's status, the METADATA of each Python package, the manifest of each model."""

    dpkg_status: str = ""
    python: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)


def read_contents(root: Path) -> Contents:
    """From the tar `root`."""
    contents = Contents()
    with tarfile.open(root) as archive:
        for member in archive:
            if member.name == STATUS:
                contents.dpkg_status = _text(archive, member)
            elif METADATA.fullmatch(member.name):
                contents.python.append(_text(archive, member))
            elif MANIFEST.fullmatch(member.name):
                contents.models.append(_text(archive, member))
    return contents


def bill_of_materials(board: Board, contents: Contents, key: str, date: datetime) -> dict[str, Any]:
    """`key` names the image: the bill's serial number is made of it."""
    distributions = [HeaderParser().parsestr(text) for text in contents.python]
    components = [
        *(_debian(package) for package in installed(contents.dpkg_status)),
        *(_python(metadata) for metadata in distributions if metadata["Name"] != OURS),  # that is Debian's ductwatch
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


def _debian(package: Mapping[str, str]) -> dict[str, Any]:
    name, version = package["Package"], package["Version"]
    if name == OURS:
        return _component("application", name, version, "generic", licenses=[{"license": {"id": OUR_LICENCE}}])
    where = f"?arch={package['Architecture']}&distro={SUITE}"
    source = package.get("Source", name)  # `name (version)`, where they differ from the package's own
    properties = [{"name": "debian:source", "value": source}]
    return _component("library", name, version, "deb/debian", where, properties=properties)


def _python(metadata: Message) -> dict[str, Any]:
    name = re.sub(r"[-_.]+", "-", metadata["Name"]).lower()  # as PyPI writes it: PEP 503
    return _component("library", name, metadata["Version"], "pypi", licenses=_licences(metadata))


def _licences(metadata: Message) -> list[dict[str, Any]]:
    if expression := metadata["License-Expression"]:
        return [{"expression": expression}]
    name = metadata["License"] or "UNKNOWN"
    return [{"license": {"name": name}}] if name != "UNKNOWN" and len(name) <= MAX_LICENCE else []


def _model(manifest: Mapping[str, Any]) -> dict[str, Any]:
    weights = manifest["files"]["model.tflite"]["sha256"]
    hashes = [{"alg": "SHA-256", "content": weights}]
    name = f"{OURS}-model-{manifest['name']}"
    return _component("machine-learning-model", name, manifest["version"], "generic", hashes=hashes)


def _text(archive: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    file = archive.extractfile(member)
    return file.read(MAX_BYTES).decode(errors="replace") if file else ""
