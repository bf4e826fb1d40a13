"""The firmware's package is the same wherever it is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.image.package import forget_commands


@pytest.mark.real
def test_nothing_is_left_of_commands_that_name_the_machine_that_built_it(tmp_path: Path) -> None:
    record = tmp_path / "tqdm-4.dist-info/RECORD"
    record.parent.mkdir()
    record.write_text("../../bin/tqdm,sha256=ab,166\ntqdm/__init__.py,sha256=cd,9\n")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/tqdm").write_text("#!/home/somebody/.venv/bin/python\n")

    forget_commands(tmp_path)

    assert record.read_text() == "tqdm/__init__.py,sha256=cd,9\n"
    assert not (tmp_path / "bin").exists()
