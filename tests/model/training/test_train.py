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


@pytest.mark.parametrize("seed", ["-1", "833", "834", "1666"])
def test_what_is_measured_on_is_never_learned_from(
    seed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--out", str(tmp_path / "out"), "--drawn", str(tmp_path / "drawn"), f"--seed={seed}"]) == 2

    assert f"--seed {seed}: there are 833 times 1200 ducts that nothing is measured on" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["--scenes", "--measured"])
@pytest.mark.parametrize("ducts", ["0", "-3", "1000001", "many"])
def test_no_ducts_or_too_many_are_said_before_anything_is_drawn(
    option: str, ducts: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--out", str(tmp_path / "out"), "--drawn", str(tmp_path / "drawn"), f"{option}={ducts}"])

    assert f"{option}: '{ducts}': write a number from 1 to 1000000" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
