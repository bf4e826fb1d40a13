"""`ductwatch detect`, as its own process, on files of every kind."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from drivers.camera.jpeg import encode_jpeg
from drivers.duct.optics import Optics
from drivers.duct.render import Renderer
from drivers.duct.scene import random_scene
from model.photo import MAX_BYTES
from tests.model.tables import model_with_a_table, model_without_a_table

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def photo() -> bytes:
    picture = Renderer(random_scene(4), 640, 480).render(mean_g_m2=0.0, light=1.0, optics=Optics(), frame_seed=1)
    return encode_jpeg(picture)


def detect(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "firmware", "detect", *map(str, arguments)]
    strict = os.environ | {"PYTHONIOENCODING": "utf-8:strict"}  # as most locales have it
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=strict)


def objects(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def test_a_photo_gets_a_verdict_with_score_times_and_model(tmp_path: Path, photo: bytes) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(photo)

    done = detect("--json", path)

    (found,) = objects(done.stdout)
    assert (done.returncode, found["path"], found["model"]["name"]) == (0, str(path), "visual-clean")
    assert found["label"] in {"CLEAN", "DIRTY", "CANNOT_TELL"}
    assert 0 <= found["score"] <= 1
    assert 0 < found["decode_ms"] < found["total_ms"]


def test_a_model_with_a_table_says_the_estimated_deposit_and_the_class(tmp_path: Path, photo: bytes) -> None:
    (tmp_path / "photo.jpg").write_bytes(photo)
    model = model_with_a_table(tmp_path / "model")

    (found,) = objects(detect("--json", "--model", model, tmp_path / "photo.jpg").stdout)
    line = detect("--model", model, tmp_path / "photo.jpg").stdout

    assert 0.7 <= found["estimated_low_g_m2"] < found["estimated_g_m2"] < found["estimated_high_g_m2"] <= 2.9
    assert found["cleanliness_classes"] == ["medium"]
    assert re.search(r"photo\.jpg  .*estimated [0-9.]+ g/m² \([0-9.]+ to [0-9.]+\), class medium\n$", line)


def test_a_model_without_a_table_estimates_nothing(tmp_path: Path, photo: bytes) -> None:
    (tmp_path / "photo.jpg").write_bytes(photo)
    model = model_without_a_table(tmp_path / "model")

    (found,) = objects(detect("--json", "--model", model, tmp_path / "photo.jpg").stdout)
    line = detect("--model", model, tmp_path / "photo.jpg").stdout

    assert (found["estimated_g_m2"], found["cleanliness_classes"]) == (None, [])
    assert "estimated" not in line


def test_two_equal_files_are_no_frozen_camera(tmp_path: Path, photo: bytes) -> None:
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(photo)

    found = objects(detect("--json", tmp_path / "a.jpg", tmp_path / "b.jpg").stdout)

    assert found[0]["score"] == found[1]["score"] is not None
    assert "frozen" not in found[1]["reasons"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "No such file or directory"),
        (b"", "the file is empty"),
        (b"\x89PNG\r\n\x1a\n", "this is a PNG, not a JPEG"),
        (b"hello", "this is no image, not a JPEG"),
        (b"\xff\xd8\xff\xe0 rubbish", ""),
    ],
    ids=["missing", "empty", "a PNG", "text", "broken"],
)
def test_a_file_that_is_no_photo_is_one_line_and_the_others_are_still_judged(
    tmp_path: Path, photo: bytes, content: bytes | None, problem: str
) -> None:
    bad, good = tmp_path / "bad.jpg", tmp_path / "good.jpg"
    good.write_bytes(photo)
    if content is not None:
        bad.write_bytes(content)

    done = detect(bad, good)

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"ductwatch: {bad}: {problem}")
    assert str(good) in done.stdout


def test_a_huge_file_is_refused_without_reading_it_whole(tmp_path: Path) -> None:
    huge = tmp_path / "huge.jpg"
    with huge.open("wb") as file:
        file.write(b"\xff\xd8\xff")
        file.truncate(MAX_BYTES * 100)

    done = detect(huge)

    assert done.returncode == 1
    assert "larger than 64 MiB" in done.stderr


def test_a_truncated_photo_is_not_clean(tmp_path: Path, photo: bytes) -> None:
    path = tmp_path / "half.jpg"
    path.write_bytes(photo[: len(photo) // 2])

    done = detect("--json", path)

    assert [(found["label"], found["reasons"]) for found in objects(done.stdout)] in (
        [],
        [("CANNOT_TELL", ["unreadable"])],
    )


def test_a_file_whose_name_is_no_text_is_judged(tmp_path: Path, photo: bytes) -> None:
    path = tmp_path / os.fsdecode(b"duct\xff.jpg")
    path.write_bytes(photo)

    done = detect(path)

    assert (done.returncode, done.stderr) == (0, "")
    assert "duct\\udcff.jpg" in done.stdout
