"""The bill of materials says what CycloneDX 1.6 asks for, and names what is in the image."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hil.image.boards import BOARDS
from hil.image.sbom import Contents, bill_of_materials, read_contents
from tests.hil.image.test_debian import STATUS

DATE = datetime(2026, 11, 23, 11, 22, 37, tzinfo=UTC)
OURS = "Package: ductwatch\nStatus: install ok installed\nArchitecture: amd64\nVersion: 0.1.0\n"
MANIFEST = '{"name": "bootstrap", "version": "0.1.1", "files": {"model.tflite": {"sha256": "' + "ab" * 32 + '"}}}'
ZSTD = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
License: BSD-3-clause and GPL-2

Files: examples/*
Copyright: someone
License: GPL-2+
 The text.

License: Expat
 Of no file.
"""
CONTENTS = Contents(
    dpkg_status=f"{STATUS}\n{OURS}",
    python=[
        "Metadata-Version: 2.4\nName: typing_extensions\nVersion: 4.16.0\nLicense-Expression: PSF-2.0\n\nName: other",
        "Metadata-Version: 2.1\nName: lgpio\nVersion: 0.2.2.0\nLicense: unlicense.org\n",
        "Metadata-Version: 2.1\nName: binho\nVersion: 1\nLicense: UNKNOWN\n",
        "Metadata-Version: 2.1\nName: ductwatch\nVersion: 0.1.0\n",
    ],
    models=[MANIFEST],
    copyright={"zstd": ZSTD, "busybox-static": "This package was debianized by hand.\n"},
    libraries={"typing_extensions.libs/libm-1a.so.6": "cd" * 32},
)
WHEELS = {"typing-extensions": "ef" * 32}

# https://cyclonedx.org/docs/1.6/json/: what must be there, and of what form
TYPES = "application framework library container platform operating-system device device-driver firmware file "
TYPES += "machine-learning-model data cryptographic-asset"
KNOWN = {"type", "bom-ref", "name", "version", "purl", "licenses", "hashes", "properties", "components"}
PURL = re.compile(r"pkg:[a-z]+(/[\w.%-]+)+@[\w.%:~-]+(\?[a-z]+=[\w.-]+(&[a-z]+=[\w.-]+)*)?(#[\w./-]+)?")


def bill(key: str = "1234") -> dict[str, Any]:
    return bill_of_materials(BOARDS["amd64"], CONTENTS, WHEELS, key, DATE)


def by_name() -> dict[str, dict[str, Any]]:
    return {component["name"]: component for component in bill()["components"]}


def test_it_is_a_cyclonedx_document() -> None:
    made = bill()

    assert (made["bomFormat"], made["specVersion"], made["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", made["serialNumber"])
    assert datetime.fromisoformat(made["metadata"]["timestamp"]) == DATE


def test_every_component_is_of_a_known_form_and_named_once() -> None:
    components = [bill()["metadata"]["component"], *bill()["components"]]
    components += [inner for component in components for inner in component.get("components", ())]

    assert len({component["bom-ref"] for component in components}) == len(components)
    for component in components:
        assert {"type", "name"} <= component.keys() <= KNOWN
        assert component["type"] in TYPES.split()
        assert PURL.fullmatch(component["purl"])


def test_licences_are_one_expression_or_a_list() -> None:
    found = by_name()

    assert found["typing-extensions"]["licenses"] == [{"expression": "PSF-2.0"}]
    assert found["lgpio"]["licenses"] == [{"license": {"name": "unlicense.org"}}]
    assert found["binho"]["licenses"] == []
    assert found["zstd"]["licenses"] == [
        {"license": {"name": "BSD-3-clause and GPL-2"}},
        {"license": {"id": "GPL-2.0-or-later"}},
    ]
    assert found["busybox-static"]["licenses"] == []  # for people to read


def test_a_wheel_has_its_hash_and_the_libraries_that_it_brings_along() -> None:
    wheel = by_name()["typing-extensions"]

    assert wheel["hashes"] == [{"alg": "SHA-256", "content": "ef" * 32}]
    assert [(inner["name"], inner["purl"]) for inner in wheel["components"]] == [
        ("libm-1a.so.6", "pkg:pypi/typing-extensions@4.16.0#typing_extensions.libs/libm-1a.so.6")
    ]


def test_debian_python_and_the_model_are_all_there() -> None:
    found = by_name()

    assert found["busybox-static"]["purl"] == (
        "pkg:deb/debian/busybox-static@1:1.35.0-4%2Bb7?arch=amd64&distro=bookworm"
    )
    assert found["busybox-static"]["properties"] == [{"name": "debian:source", "value": "busybox"}]
    assert found["typing-extensions"]["purl"] == "pkg:pypi/typing-extensions@4.16.0"
    assert found["ductwatch-model-bootstrap"]["hashes"] == [{"alg": "SHA-256", "content": "ab" * 32}]
    assert found["ductwatch"]["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    assert "gone" not in found


def test_another_image_has_another_number_and_the_same_image_the_same() -> None:
    assert bill("1234") == bill("1234")
    assert bill("1234")["serialNumber"] != bill("1235")["serialNumber"]


@pytest.mark.real
def test_it_is_read_from_the_root_file_system(tmp_path: Path) -> None:
    site = "./opt/ductwatch/.venv/lib/python3.11/site-packages"
    files = {
        "./var/lib/dpkg/status": STATUS,
        f"{site}/lgpio-0.2.2.0.dist-info/METADATA": CONTENTS.python[1],
        f"{site}/model/visual_clean/manifest.json": MANIFEST,
        f"{site}/other/manifest.json": "{}",
        f"{site}/numpy.libs/libquadmath-96.so.0.0.0": "",
        f"{site}/numpy.libs/README": "",
        "./usr/share/doc/gcc-12-base/copyright": ZSTD,
    }
    links = {"./usr/share/doc/libgcc-s1": "gcc-12-base", "./usr/share/doc/cpp/copyright": "../gcc-12-base/copyright"}
    with tarfile.open(tmp_path / "root.tar", "w") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
        for name, target in links.items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)

    assert read_contents(tmp_path / "root.tar") == Contents(
        STATUS,
        [CONTENTS.python[1]],
        [MANIFEST],
        copyright={"gcc-12-base": ZSTD, "libgcc-s1": ZSTD, "cpp": ZSTD},
        libraries={"numpy.libs/libquadmath-96.so.0.0.0": hashlib.sha256().hexdigest()},
    )
