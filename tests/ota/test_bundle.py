from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ota.bundle import MAX_FILES, MAX_MANIFEST_BYTES, Bundle, open_bundle, pack, recounted
from ota.errors import BadBundle

pytestmark = pytest.mark.real

FILES = {"model.tflite": b"network", "golden/1.jpg": b"picture", "card.md": b""}


def manifest_of(files: dict[str, bytes]) -> bytes:
    listed = {
        name: {"length": len(content), "sha256": hashlib.sha256(content).hexdigest()} for name, content in files.items()
    }
    return json.dumps({"name": "bootstrap", "files": listed}).encode()


def whole(files: dict[str, bytes] = FILES) -> dict[str, bytes]:
    return {"manifest.json": manifest_of(files), **files}


def folder_of(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = root / "bundle" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root / "bundle"


def tar_of(root: Path, files: dict[str, bytes], *, mode: str = "w:") -> Path:
    with tarfile.open(root / "bundle.tar", mode) as tar:  # type: ignore[call-overload]  # mode is a plain str here
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return root / "bundle.tar"


STORES = pytest.mark.parametrize("store", [folder_of, tar_of], ids=["folder", "tar"])
Store = Callable[[Path, dict[str, bytes]], Path]


@STORES
def test_a_whole_bundle_opens(tmp_path: Path, store: Store) -> None:
    bundle = open_bundle(store(tmp_path, whole()))

    assert dict(bundle.files) == FILES
    assert bundle.manifest == manifest_of(FILES)
    assert bundle.digest == hashlib.sha256(manifest_of(FILES)).hexdigest()


TAMPERED: dict[str, tuple[dict[str, bytes], str]] = {
    "a byte changed": ({**whole(), "model.tflite": b"Network"}, "model.tflite is not the file"),
    "cut short": ({**whole(), "model.tflite": b"net"}, "model.tflite is not the file"),
    "emptied by a power cut": ({**whole(), "model.tflite": b""}, "model.tflite is not the file"),
    "an extra file": ({**whole(), "run_me.py": b"import os"}, "run_me.py is not listed"),
    "an extra file in a folder": ({**whole(), "golden/2.jpg": b"x"}, "golden/2.jpg is not listed"),
    "a file missing": ({"manifest.json": manifest_of(FILES), "card.md": b""}, "golden/1.jpg is missing"),
    "no manifest": (FILES, "has no manifest.json"),
    "manifest is not JSON": ({**whole(), "manifest.json": b"{"}, "not JSON"),
    "manifest nested without end": ({**whole(), "manifest.json": b"[" * 100_000}, "not JSON|lists no files"),
    "manifest is a list": ({**whole(), "manifest.json": b"[]"}, "lists no files"),
    "manifest lists nothing": ({"manifest.json": manifest_of({})}, "lists no files"),
    "manifest too large": ({"manifest.json": b" " * (MAX_MANIFEST_BYTES + 1)}, "too large at manifest.json"),
    "hash missing": ({"manifest.json": b'{"files": {"a": {"length": 1}}}', "a": b"x"}, "a is not the file"),
    "hash of another kind": ({"manifest.json": b'{"files": {"a": "d41d8c"}}', "a": b"x"}, "a is not the file"),
    "a hash more than we check": (
        {"manifest.json": manifest_of({"a": b"x"}).replace(b'"length"', b'"md5": "", "length"'), "a": b"x"},
        "a is not the file",
    ),
    "too many files": (whole({f"{number}.jpg": b"" for number in range(MAX_FILES)}), "too many files"),
    "folders too deep": ({**whole(), "a/b/c/d/e/f": b""}, "deep|not listed"),
}


@STORES
@pytest.mark.parametrize(("files", "problem"), TAMPERED.values(), ids=TAMPERED)
def test_a_tampered_bundle_is_refused_whole(
    tmp_path: Path, store: Store, files: dict[str, bytes], problem: str
) -> None:
    with pytest.raises(BadBundle, match=problem):
        open_bundle(store(tmp_path, files))


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/etc/evil",
        "golden/../../evil",
        "golden//1.jpg",
        "a\\b",
        "./../evil",
        ".//etc/evil",
        "././model.tflite",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused_even_if_listed(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadBundle, match="leads elsewhere"):
        open_bundle(tar_of(tmp_path, whole({name: b"x"})))


def test_a_name_twice_in_a_tar_is_refused(tmp_path: Path) -> None:
    path = tar_of(tmp_path, whole())
    with tarfile.open(path, "a:") as tar:
        tar.addfile(tarfile.TarInfo("card.md"), io.BytesIO())

    with pytest.raises(BadBundle, match="comes twice"):
        open_bundle(path)


def test_a_link_out_of_the_folder_is_refused_even_to_the_right_bytes(tmp_path: Path) -> None:
    path = folder_of(tmp_path, whole())
    (path / "model.tflite").rename(tmp_path / "outside")
    (path / "model.tflite").symlink_to(tmp_path / "outside")

    with pytest.raises(BadBundle, match=r"model\.tflite is a link"):
        open_bundle(path)


def test_a_linked_folder_and_a_pipe_are_refused(tmp_path: Path) -> None:
    path = folder_of(tmp_path, whole())
    (path / "more").symlink_to(tmp_path)
    with pytest.raises(BadBundle, match="more is a link"):
        open_bundle(path)

    (path / "more").unlink()
    os.mkfifo(path / "more")
    with pytest.raises(BadBundle, match="more is a link or a device"):
        open_bundle(path)


def folders(path: Path, *names: str) -> Path:
    """The tar with these folders named in it."""
    with tarfile.open(path, "a:") as tar:
        for name in names:
            member = tarfile.TarInfo(name)
            member.type = tarfile.DIRTYPE
            tar.addfile(member)
    return path


def test_a_tar_that_somebody_made_of_the_folder_opens(tmp_path: Path) -> None:
    """`tar cf bundle.tar -C bundle .`"""
    with tarfile.open(tmp_path / "bundle.tar", "w:") as tar:
        tar.add(folder_of(tmp_path, whole()), ".")
    with tarfile.open(tmp_path / "dotted.tar", "w:") as tar:
        for path in sorted((tmp_path / "bundle").rglob("*")):
            tar.add(path, f"./{path.relative_to(tmp_path / 'bundle')}", recursive=False)

    assert dict(open_bundle(tmp_path / "bundle.tar").files) == FILES
    assert dict(open_bundle(folders(tmp_path / "dotted.tar", "./")).files) == FILES


def test_a_file_is_not_there_twice_because_one_has_a_dot_before_it(tmp_path: Path) -> None:
    with pytest.raises(BadBundle, match="comes twice"):
        open_bundle(tar_of(tmp_path, {**whole(), "./card.md": b""}))


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "golden/../..", "./../evil"])
def test_a_folder_that_lies_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadBundle, match="is a link, a device or a folder too many"):
        open_bundle(folders(tar_of(tmp_path, whole()), name))


def test_folders_without_end_are_refused(tmp_path: Path) -> None:
    path = folders(tar_of(tmp_path, whole()), *(str(number) for number in range(MAX_FILES)))
    open_bundle(path)

    with pytest.raises(BadBundle, match="256 is a link, a device or a folder too many"):
        open_bundle(folders(path, "256"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_only_plain_files_are_taken_from_a_tar(tmp_path: Path, kind: bytes) -> None:
    path = tar_of(tmp_path, whole())
    member = tarfile.TarInfo("golden/link")
    member.type, member.linkname = kind, "model.tflite"
    with tarfile.open(path, "a:") as tar:
        tar.addfile(member)

    with pytest.raises(BadBundle, match="is a link, a device or a folder too many"):
        open_bundle(path)


def test_a_file_that_claims_to_be_huge_is_not_read(tmp_path: Path) -> None:
    path = folder_of(tmp_path, whole())
    with (path / "model.tflite").open("wb") as file:
        file.truncate(1 << 40)  # sparse: takes no room on the disk

    with pytest.raises(BadBundle, match=r"too large at model\.tflite"):
        open_bundle(path)


def test_a_huge_tar_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "bundle.tar"
    with path.open("wb") as file:
        file.truncate(1 << 40)

    with pytest.raises(BadBundle, match="too large"):
        open_bundle(path)


def test_a_member_that_claims_more_than_the_tar_holds_is_refused(tmp_path: Path) -> None:
    path = tar_of(tmp_path, whole())
    path.write_bytes(path.read_bytes()[:1024])

    with pytest.raises(BadBundle):
        open_bundle(path)


def test_compressed_tars_are_not_opened(tmp_path: Path) -> None:
    with pytest.raises(BadBundle, match="cannot be read"):
        open_bundle(tar_of(tmp_path, whole(), mode="w:gz"))


@pytest.mark.parametrize("content", [b"", b"hello", bytes(10_240)], ids=["empty", "text", "tar of nothing"])
def test_what_is_no_bundle_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bundle.tar").write_bytes(content)

    with pytest.raises(BadBundle):
        open_bundle(tmp_path / "bundle.tar")


@pytest.mark.parametrize(
    "headers", [{"GNU.sparse.map": "a,b"}, {"GNU.sparse.size": "many"}, {"size": "-1"}, {"mtime": "inf"}], ids=str
)
def test_headers_without_sense_are_refused_as_well(tmp_path: Path, headers: dict[str, str]) -> None:
    member = tarfile.TarInfo("manifest.json")
    member.pax_headers = headers
    path = tmp_path / "bundle.tar"
    path.write_bytes(member.tobuf(tarfile.PAX_FORMAT) + bytes(1024))

    with pytest.raises(BadBundle):
        open_bundle(path)


def test_nothing_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadBundle, match=r"nowhere: cannot be read .* Fetch or copy the bundle again"):
        open_bundle(tmp_path / "nowhere")


def test_a_bundle_cannot_be_made_without_being_verified() -> None:
    with pytest.raises(TypeError, match="open_bundle"):
        Bundle(b"{}", {}, verified=object())


def test_the_files_of_a_bundle_cannot_be_changed(tmp_path: Path) -> None:
    bundle = open_bundle(folder_of(tmp_path, whole()))

    with pytest.raises(TypeError):
        bundle.files["model.tflite"] = b"other"  # type: ignore[index]  # that is the point


def test_a_folder_and_a_tar_in_any_order_pack_to_the_same_bytes(tmp_path: Path) -> None:
    turned = dict(reversed(whole().items()))

    packed = pack(open_bundle(folder_of(tmp_path, whole())))

    assert pack(open_bundle(tar_of(tmp_path, turned))) == packed
    assert open_bundle(write(tmp_path, packed)).files == FILES
    assert pack(open_bundle(write(tmp_path, packed))) == packed


def test_a_packed_bundle_tells_nothing_of_whoever_packed_it(tmp_path: Path) -> None:
    packed = pack(open_bundle(folder_of(tmp_path, whole())))

    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        members = tar.getmembers()
    assert [member.name for member in members] == sorted(whole())
    assert {(each.mtime, each.uid, each.gid, each.uname, each.gname, each.mode) for each in members} == {
        (0, 0, 0, "", "", 0o644)
    }


def test_a_name_that_a_tar_has_no_room_for_is_named(tmp_path: Path) -> None:
    bundle = open_bundle(folder_of(tmp_path, whole({"n" * 101: b"x"})))

    with pytest.raises(BadBundle, match=r"nnn: .* Give the file a shorter name"):
        pack(bundle)


def test_old_bytes_under_a_higher_counter_differ_in_nothing_else(tmp_path: Path) -> None:
    bundle = open_bundle(folder_of(tmp_path, whole()))

    raised = open_bundle(write(tmp_path, pack(recounted(bundle, 9))))

    assert raised.files == bundle.files
    assert json.loads(raised.manifest) == {**json.loads(bundle.manifest), "release_counter": 9}


def write(root: Path, content: bytes) -> Path:
    (root / "packed.tar").write_bytes(content)
    return root / "packed.tar"
