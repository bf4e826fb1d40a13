"""The entry point for the public suite starts, and says by its exit code how it went."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.ota.repository import MODEL, SimulatedRepository
from tests.ota.web_server import served

pytestmark = pytest.mark.real

CLIENT = Path(__file__).with_name("conformance_client")


def run(home: Path, *arguments: str) -> int:
    command = [sys.executable, str(CLIENT), "--metadata-dir", str(home / "metadata"), *arguments]
    return subprocess.run(command, check=False, capture_output=True, timeout=60).returncode


def test_it_initializes_refreshes_and_downloads(tmp_path: Path) -> None:
    repository = SimulatedRepository(tmp_path / "repository")
    repository.offer(1)
    file = repository.targets["stable"].targets[f"stable/{MODEL}.tar"]
    stored = repository.folder / "targets" / "stable" / f"{file.hashes['sha256']}.{MODEL}.tar"
    stored.parent.mkdir(parents=True)
    stored.write_bytes(b"bundle 1")
    home = tmp_path / "client"
    for name in ("metadata", "targets"):
        (home / name).mkdir(parents=True)
    (tmp_path / "root.json").write_bytes(repository.first_root)

    assert run(home, "init", str(tmp_path / "root.json")) == 0
    with served(repository.folder) as url:
        at = ["--metadata-url", f"{url}/metadata/"]
        to = ["--target-dir", str(home / "targets"), "--target-base-url", f"{url}/targets/"]
        assert run(home, *at, "refresh") == 0
        assert run(home, *at, *to, "--target-name", f"stable/{MODEL}.tar", "download") == 0
        assert run(home, *at, *to, "--target-name", "stable/nothing.tar", "download") == 1
    assert run(home, *at, "refresh") == 1

    assert [path.read_bytes() for path in (home / "targets").iterdir()] == [b"bundle 1"]
