"""Manifests as Ground Truth writes them, and as they go wrong."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from model.training.data.groundtruth import BadManifest, manifest_lines, read_manifest
from model.types import Label

# a line of docs.aws.amazon.com, "Labeling job output data", with the classes of a duct
LINE: dict[str, Any] = {
    "source-ref": "s3://ducts/day1/a.jpg",
    "duct": 1,
    "duct-metadata": {
        "confidence": 0.95,
        "job-name": "labeling-job/duct",
        "class-name": "dirty",
        "human-annotated": "yes",
        "creation-date": "2026-11-26T10:00:00.000000",
        "type": "groundtruth/image-classification",
    },
}


def manifest(folder: Path, *lines: object) -> Path:
    path = folder / "output.manifest"
    path.write_text("".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines))
    return path


def line(**changes: Any) -> dict[str, Any]:
    """`class_name="clean"` and the like change the metadata, others the line."""
    metadata = {key.replace("_", "-"): value for key, value in changes.items() if key != "source_ref"}
    source = {"source-ref": changes["source_ref"]} if "source_ref" in changes else {}
    return LINE | source | {"duct-metadata": LINE["duct-metadata"] | metadata}


def test_a_line_names_the_picture_its_label_and_how_sure_the_labellers_were(tmp_path: Path) -> None:
    (entry,) = read_manifest(manifest(tmp_path, LINE), places={"s3://ducts": tmp_path / "copy"}, classes={})

    assert entry.source_ref == "s3://ducts/day1/a.jpg"
    assert entry.path == tmp_path / "copy/day1/a.jpg"
    assert (entry.label, entry.confidence) == (Label.DIRTY, 0.95)


def test_the_longest_place_counts_and_half_a_name_does_not(tmp_path: Path) -> None:
    places = {"s3://ducts": tmp_path / "all", "s3://ducts/day1": tmp_path / "one", "s3://ducts/day": tmp_path / "no"}

    (entry,) = read_manifest(manifest(tmp_path, LINE), places=places, classes={})

    assert entry.path == tmp_path / "one/a.jpg"


def test_a_path_without_a_bucket_is_beside_the_manifest(tmp_path: Path) -> None:
    (entry,) = read_manifest(manifest(tmp_path, line(source_ref="a.jpg")), places={}, classes={})

    assert entry.path == tmp_path / "a.jpg"


@pytest.mark.parametrize("name", ["cl\0ean/a.jpg", "a\ud800.jpg"], ids=["a zero byte", "half a letter"])
def test_what_no_file_can_be_called_is_named_with_its_line(tmp_path: Path, name: str) -> None:
    path = manifest(tmp_path, LINE, line(source_ref=f"s3://ducts/{name}"))

    with pytest.raises(BadManifest, match=r"line 2: source-ref 's3://ducts/.*no file can be called so"):
        read_manifest(path, places={"s3://ducts": tmp_path}, classes={})


def test_a_name_that_is_no_text_is_a_files_name(tmp_path: Path) -> None:
    """As `--export-manifest` writes it, and as file systems have it."""
    path = manifest(tmp_path, line(source_ref="a\udcff.jpg"))

    (entry,) = read_manifest(path, places={}, classes={})

    assert os.fsencode(entry.path.name) == b"a\xff.jpg"


def test_other_class_names_mean_what_they_are_said_to(tmp_path: Path) -> None:
    path = manifest(tmp_path, line(source_ref="a.jpg", class_name="Dusty"))

    (entry,) = read_manifest(path, places={}, classes={"dusty": Label.DIRTY})

    assert entry.label is Label.DIRTY


def test_keys_that_nobody_asked_for_are_left_alone(tmp_path: Path) -> None:
    extra = {"box-metadata": {"type": "groundtruth/object-detection"}, "box": {"annotations": []}, "note": "wet"}

    assert len(read_manifest(manifest(tmp_path, LINE | extra), places={"s3://ducts": tmp_path}, classes={})) == 1


def test_of_two_jobs_that_followed_each_other_the_one_that_is_said_counts(tmp_path: Path) -> None:
    adjusted = {"new": 0, "new-metadata": LINE["duct-metadata"] | {"class-name": "clean"}}
    path, places = manifest(tmp_path, LINE | adjusted), {"s3://ducts": tmp_path}

    labels = [read_manifest(path, places=places, classes={}, attribute=name)[0].label for name in ("duct", "new")]

    assert labels == [Label.DIRTY, Label.CLEAN]


def test_a_label_that_a_line_has_not_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadManifest, match=r"line 1: no label wet of type .*: there is duct"):
        read_manifest(manifest(tmp_path, LINE), places={"s3://ducts": tmp_path}, classes={}, attribute="wet")


@pytest.mark.parametrize(
    "failed",
    [
        {"duct-metadata": {"failure-reason": "ClientError:\nno image", "human-annotated": "true", "retry-count": 1}},
        {
            "duct": -1,
            "duct-metadata": {"failure-reason": "ClientError: no image", "type": LINE["duct-metadata"]["type"]},
        },
    ],
    ids=["bare", "with a type"],
)
def test_a_picture_whose_labelling_failed_is_left_out_and_told(tmp_path: Path, failed: dict[str, Any]) -> None:
    path = manifest(tmp_path, line(source_ref="a.jpg"), {"source-ref": "b.jpg"} | failed)
    said: list[str] = []

    entries = read_manifest(path, places={}, classes={}, remark=said.append)

    assert [entry.source_ref for entry in entries] == ["a.jpg"]
    assert said == [f"Lines left out, as labelling failed: 1, such as {path}, line 2: ClientError: no image"]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("{\n", "not JSON"),
        ("[1]\n", "not an object"),
        ({"duct": 1}, "no source-ref"),
        ({"source-ref": "a.jpg", "duct": 1}, "there is none"),
        ({key: value for key, value in LINE.items() if key != "duct"}, "duct-metadata without duct"),
        (LINE | {"new": 0, "new-metadata": LINE["duct-metadata"]}, "there is duct, new.*--attribute new"),
        (line(source_ref="a.jpg", class_name="dusty"), "'dusty', which is neither.*--class"),
        (line(source_ref="a.jpg", class_name=None), "duct-metadata has no class-name.*Label the picture"),
        (line(source_ref="a.jpg", confidence="high"), "confidence 'high'"),
        (line(source_ref="s3://other/a.jpg"), "not on this machine.*--map s3://other=FOLDER"),
        (" " * 70_000 + "\n", "longer than"),
        ("\x00\n", "not JSON"),
    ],
    ids=str,
)
def test_a_line_that_cannot_be_used_is_named(tmp_path: Path, bad: object, said: str) -> None:
    good = line(source_ref="b.jpg")
    with pytest.raises(BadManifest, match=f"output.manifest, line 2: .*{said}"):
        read_manifest(manifest(tmp_path, good, bad), places={}, classes={})


def test_one_picture_with_two_labels_is_refused(tmp_path: Path) -> None:
    path = manifest(tmp_path, line(source_ref="a.jpg"), line(source_ref="a.jpg", class_name="clean"))

    with pytest.raises(BadManifest, match=r"line 2: a.jpg is CLEAN here and DIRTY before"):
        read_manifest(path, places={}, classes={})


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    wanted = [("s3://ducts/a.jpg", Label.CLEAN), ("s3://ducts/b.jpg", Label.DIRTY)]
    lines = manifest_lines(wanted, attribute="duct", job="ductwatch", created="2026-11-26T10:00:00")

    entries = read_manifest(manifest(tmp_path, *lines), places={"s3://ducts": tmp_path}, classes={})

    assert [(entry.source_ref, entry.label) for entry in entries] == wanted
