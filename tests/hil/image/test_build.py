"""An image is there whole, or not at all, and is not built twice. The programs that make it are played."""

# ruff: noqa: ARG002, ARG005  # what plays a program takes what the program takes

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from hil.image import build as building
from hil.image.boards import BOARDS, Board
from hil.image.build import CHANGED, Image, Steps, build_image, compress, lock_versions
from hil.image.debian import Lock, parse_lock, render_lock
from hil.image.package import WHEELS
from hil.image.sbom import STATUS
from hil.image.shell import Failed
from tests.hil.image.test_debian import DATE

pytestmark = pytest.mark.real


class Mirror:
    """A mirror with one package, and a workshop of programs that make empty parts; counts what it did."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.version = "1.5.4"
        self.key = "one"
        self.breaks = False
        self.bases = self.roots = 0
        self.lock = folder / "packages.lock"
        self.image = Image(board=BOARDS["amd64"], out=folder / "out")
        self.steps = Steps(lambda text: None)
        for name, played in {
            "build_base": self._base,
            "build_root": self._root,
            "build_package": self._package,
            "build_squashfs": lambda root, squashfs, epoch: squashfs.touch(),
            "build_initramfs": lambda board, root, work, epoch: work / "initrd.img",
            "build_boot": self._boot,
            "build_data": self._data,
            "build_disk": lambda boot, squashfs, data, disk: disk.write_text(self.key),
            "tool_versions": lambda: {"zstd": "1.5.4"},
            "archive_date": lambda board, work: DATE,
            "image_key": lambda board: self.key,
            "lock_file": lambda board: self.lock,
            "run": self._run,
        }.items():
            monkeypatch.setattr(building, name, played)
        lock_versions(self.image, self.steps)
        self.bases = 0

    def build(self, *, pinned: bool = True) -> building.Facts:
        return build_image(self.image, self.steps, pinned=pinned)

    def _base(self, board: Board, base: Path, epoch: int) -> None:
        self.bases += 1
        _tar(base, f"Package: zstd\nStatus: install ok installed\nArchitecture: amd64\nVersion: {self.version}\n")

    def _root(self, board: Board, base: Path, package: Path, root: Path, epoch: int, about: str) -> None:
        self.roots += 1
        if self.breaks:
            raise Failed("the power went")
        root.write_bytes(base.read_bytes())

    def _package(self, board: Board, kept: Path, work: Path, epoch: int) -> Path:
        package = work / self.image.package.name
        package.touch()
        (work / WHEELS).write_text('{"install": []}')
        return package

    def _boot(self, board: Board, root: Path, initramfs: Path, work: Path, epoch: int) -> Path:
        (work / "boot").mkdir()
        (work / "boot/vmlinuz").touch()
        (work / "boot/initrd.img").touch()
        (work / "boot.fat").touch()
        return work / "boot.fat"

    def _data(self, work: Path, epoch: int) -> Path:
        (work / "data.ext4").touch()
        return work / "data.ext4"

    def _run(self, program: str, *words: object) -> str:
        if program == "tar":
            with tarfile.open(str(words[words.index("--file") + 1])) as archive:
                file = archive.extractfile(STATUS)
                assert file
                return file.read().decode()
        Path(str(words[words.index("--output" if program == "bmaptool" else "-o") + 1])).touch()
        return ""


def _tar(path: Path, status: str) -> None:
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo(STATUS)
        member.size = len(status)
        archive.addfile(member, io.BytesIO(status.encode()))


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mirror:
    return Mirror(tmp_path, monkeypatch)


def test_with_nothing_changed_nothing_is_built(mirror: Mirror) -> None:
    first = mirror.build()

    assert mirror.build() == first
    assert (mirror.bases, mirror.roots) == (0, 1)  # the base is that of which the lock was written


def test_a_change_costs_the_second_half_only(mirror: Mirror) -> None:
    mirror.build()
    mirror.key = "two"

    assert mirror.build().key == "two"
    assert (mirror.bases, mirror.roots) == (0, 2)
    assert mirror.image.disk.read_text() == "two"


def test_newer_packages_than_locked_are_refused_by_name_and_with_both_remedies(mirror: Mirror) -> None:
    mirror.version = "1.5.5"
    for base in mirror.image.folder.glob("base-*.tar"):
        base.unlink()

    with pytest.raises(
        Failed, match=r"zstd: locked 1\.5\.4, now 1\.5\.5(?s:.*)--lock(?s:.*)20261123T112237Z(?s:.*)MIRROR="
    ):
        mirror.build()
    assert mirror.image.facts() is None


def test_newer_packages_serve_the_rig_but_not_a_pinned_build_after_it(mirror: Mirror) -> None:
    mirror.version = "1.5.5"
    for base in mirror.image.folder.glob("base-*.tar"):
        base.unlink()

    assert mirror.build(pinned=False).differences == ["zstd: locked 1.5.4, now 1.5.5"]
    assert mirror.build(pinned=False).differences  # and is not built again
    assert mirror.roots == 1
    mirror.version = "1.5.4"
    assert mirror.build().differences == []


def test_the_rig_says_of_how_many_packages_its_image_is_not_as_locked(
    mirror: Mirror, capsys: pytest.CaptureFixture[str]
) -> None:
    building.build("amd64", mirror.image.out)
    assert "not as locked" not in capsys.readouterr().err

    mirror.lock.write_text(render_lock(Lock(DATE, {"zstd": "1.5.3"}), "amd64"))
    mirror.key = "two"
    building.build("amd64", mirror.image.out)
    assert f"1 Debian packages are not as locked: {mirror.image.beside('.json')}" in capsys.readouterr().err


def test_locking_takes_what_the_mirror_has(mirror: Mirror) -> None:
    mirror.version = "1.5.5"
    lock_versions(mirror.image, mirror.steps)

    assert parse_lock(mirror.lock.read_text()).versions == {"zstd": "1.5.5"}
    assert mirror.build().differences == []


def test_an_interrupted_build_leaves_the_image_from_before(mirror: Mirror) -> None:
    before = mirror.build()
    mirror.key, mirror.breaks = "two", True

    with pytest.raises(Failed):
        mirror.build()
    assert mirror.image.facts() == before
    assert mirror.image.disk.read_text() == "one"


def test_the_first_build_interrupted_leaves_nothing(mirror: Mirror) -> None:
    mirror.breaks = True

    with pytest.raises(Failed):
        mirror.build()
    assert [path.name for path in mirror.image.out.iterdir()] == [".lock", "amd64"]
    assert mirror.image.facts() is None


@pytest.mark.parametrize("lost", ["disk", "kernel", "initramfs"])
def test_a_part_that_somebody_removed_is_made_again(mirror: Mirror, lost: str) -> None:
    mirror.build()
    getattr(mirror.image, lost).unlink()

    mirror.build()
    assert getattr(mirror.image, lost).exists()


def test_what_is_known_of_an_image_and_cannot_be_read_is_not_believed(mirror: Mirror) -> None:
    mirror.build()
    mirror.image.beside(".json").write_text("{")

    assert mirror.build().key == "one"
    assert mirror.roots == 2


def test_a_source_that_changes_meanwhile_is_built_again(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = iter(("one", "two", "two", "two"))
    monkeypatch.setattr(building, "image_key", lambda board: next(keys))

    assert mirror.build().key == CHANGED
    assert mirror.build().key == "two"


def test_the_compressed_image_is_never_that_of_an_older_one(mirror: Mirror) -> None:
    mirror.build()
    compress(mirror.image, mirror.steps)
    assert len(mirror.image.beside(".sha256").read_text().splitlines()) == 2
    mirror.key = "two"
    mirror.build()

    assert not mirror.image.beside(".zst").exists()
    assert not mirror.image.beside(".sha256").exists()


def test_without_a_lock_it_says_how_to_make_one(mirror: Mirror) -> None:
    mirror.lock.unlink()

    with pytest.raises(Failed, match="--lock"):
        mirror.build()
