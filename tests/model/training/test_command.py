"""Where `ductwatch model train` may write. The rest of it needs TensorFlow: `make test-training`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from firmware.cli import parser
from model.errors import NoPlace
from model.training.command import require_places
from model.training.data.samples import Sample, read_samples
from tests.model.training.data.photos import folder, listed

pytestmark = pytest.mark.real


def require(data: Path, *options: str | Path, found: Sequence[Sample] = ()) -> None:
    require_places(parser().parse_args(["model", "train", "--data", str(data), *map(str, options)]), found)


@pytest.mark.parametrize("option", ["--out", "--checkpoints"])
def test_nothing_is_made_in_the_data(tmp_path: Path, option: str) -> None:
    folder(tmp_path / "photos", clean=1, dirty=1)
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(NoPlace, match="clean/new: lies in the data"):
        require(tmp_path / "photos", "--out", tmp_path / "out", option, tmp_path / "photos/clean/new")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("option", ["--out", "--checkpoints"])
def test_nothing_is_made_where_the_photos_of_a_manifest_lie(tmp_path: Path, option: str) -> None:
    manifest = listed(tmp_path / "s.manifest", folder(tmp_path / "photos", clean=1, dirty=1))
    found = read_samples(manifest)

    with pytest.raises(NoPlace, match="clean/new: lies in the data"):
        require(manifest, "--out", tmp_path / "out", option, tmp_path / "photos/clean/new", found=found)
    require(manifest, "--out", tmp_path / "out", option, tmp_path / "new", found=found)


def test_a_folder_that_will_do_is_not_made_yet(tmp_path: Path) -> None:
    require(tmp_path / "photos", "--out", tmp_path / "out", "--checkpoints", tmp_path / "kept")

    assert list(tmp_path.iterdir()) == []
