"""The bill of materials says what CycloneDX 1.6 asks for, and names what is in the image."""

from __future__ import annotations

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
CONTENTS = Contents(
    dpkg_status=f"{STATUS}\n{OURS}",
    python=[
        "Metadata-Version: 2.4\nName: typing_extensions\nVersion: 4.16.0\nLicense-Expression: PSF-2.0\n\nName: other",
        "Metadata-Version: 2.1\nName: lgpio\nVersion: 0.2.2.0\nLicense: unlicense.org\n",
        "Metadata-Version: 2.1\nName: binho\nVersion: 1\nLicense: UNKNOWN\n",
        "Metadata-Version: 2.1\nName: ductwatch\nVersion: 0.1.0\n",
    ],
    models=[MANIFEST],
)

# https://cyclonedx.org/docs/1.6/json/: what must be there, and of what form
TYPES = "application framework library container platform operating-system device device-driver firmware file "
TYPES += "machine-learning-model data cryptographic-asset"
KNOWN = {"type", "bom-ref", "name", "version", "purl", "licenses", "hashes", "properties"}
PURL = re.compile(r"pkg:[a-z]+(/[\w.%-]+)+@[\w.%:~-]+(\?[a-z]+=[\w.-]+(&[a-z]+=[\w.-]+)*)?")


def bill(key: str = "1234") -> dict[str, Any]:
    return bill_of_materials(BOARDS["amd64"], CONTENTS, key, DATE)


def by_name() -> dict[str, dict[str, Any]]:
    return {component["name"]: component for component in bill()["components"]}


def test_it_is_a_cyclonedx_document() -> None:
    made = bill()

    assert (made["bomFormat"], made["specVersion"], made["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", made["serialNumber"])
    assert datetime.fromisoformat(made["metadata"]["timestamp"]) == DATE


def test_every_component_is_of_a_known_form_and_named_once() -> None:
    components = [bill()["metadata"]["component"], *bill()["components"]]

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
        f"{site}/model/bootstrap/manifest.json": MANIFEST,
        f"{site}/other/manifest.json": "{}",
    }
    with tarfile.open(tmp_path / "root.tar", "w") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))

    assert read_contents(tmp_path / "root.tar") == Contents(STATUS, [CONTENTS.python[1]], [MANIFEST])
