"""Where `ductwatch model train` may write, and what it goes on with. The rest: `make test-training`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from firmware.cli import parser
from model.errors import NoPlace
from model.training.checkpoint import Checkpoint
from model.training.command import LEARNS, fingerprint_of, require_places, what_teaches
from model.training.data.samples import Sample, read_samples
from model.training.outcome import MESSAGES, MESSAGES_BEGIN, UNFINISHED
from model.training.photos import parts
from model.training.sources import digest_of
from tests.model.training.data.photos import folder, listed
from tests.model.training.evaluation.data import write
from tests.model.training.test_checkpoint import Variable
from tests.model.training.test_photos import loaded

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


@pytest.mark.parametrize("name", ["unfinished.npz", "tensorflow.log"])
def test_what_is_no_trainings_is_not_replaced(tmp_path: Path, name: str) -> None:
    theirs = write(tmp_path / "out" / name, b"mine")

    with pytest.raises(NoPlace, match=f"{name}: is something else, and is not replaced"):
        require(tmp_path / "photos", "--out", tmp_path / "out")
    assert theirs.read_bytes() == b"mine"


def test_what_a_training_has_begun_is_gone_on_with(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    Checkpoint(kept / UNFINISHED, "of some training").keep(5, [])
    write(tmp_path / "out" / MESSAGES, f"{MESSAGES_BEGIN}W0000 something".encode())

    require(tmp_path / "photos", "--out", tmp_path / "out", "--checkpoints", kept)


def fingerprint(
    *, photos: int = 200, rate: float = 3e-4, seed: int = 1, code: str = "c0de", tensorflow: str = "2.21.0"
) -> str:
    some = loaded(photos)
    by = [code, f"tensorflow {tensorflow}"]
    return fingerprint_of(some, parts(some, seed=1), {"rate": rate}, seed=seed, by=by)


@pytest.mark.parametrize(
    "now",
    [
        fingerprint(photos=202),
        fingerprint(rate=1e-3),
        fingerprint(seed=2),
        fingerprint(code="0ther"),
        fingerprint(tensorflow="2.22.0"),
    ],
    ids=["photos", "settings", "seed", "code", "TensorFlow"],
)
def test_what_was_begun_with_another_is_not_gone_on_with(tmp_path: Path, now: str) -> None:
    Checkpoint(tmp_path / "kept.npz", fingerprint()).keep(5, [Variable(1)])

    assert Checkpoint(tmp_path / "kept.npz", fingerprint()).restore([Variable(0)]) == 5
    assert Checkpoint(tmp_path / "kept.npz", now).restore([Variable(0)]) == 0


def test_the_code_that_teaches_is_known_and_the_versions_of_what_it_teaches_with() -> None:
    code, *versions = what_teaches()

    for name in ("finetune", "augment", "backbone", "data.logistic"):
        assert digest_of([LEARNS], but_not=[f"model.training.{name}"]) != code
    assert f"numpy {np.__version__}" in versions
