from __future__ import annotations

from pathlib import Path

import pytest

from model.training.train import main

pytestmark = pytest.mark.real


def test_a_network_that_there_is_not_is_said_before_anything_is_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--out", str(tmp_path / "out"), "--drawn", str(tmp_path / "drawn"), "--architecture", "cut160"])

    assert "'cut160' (choose from" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
