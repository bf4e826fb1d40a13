"""Builds a board image step by step, or finds that the one from before is still right."""

from __future__ import annotations

import fcntl
import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec

from firmware import __version__
from hil.image.boards import BOARDS, Board
from hil.image.debian import Lock, Unlocked, differences, parse_lock, render_lock, versions
from hil.image.disk import build_boot, build_data, build_disk, build_squashfs
from hil.image.initramfs import build_initramfs
from hil.image.inputs import digest, file_digest, image_key, lock_file
from hil.image.package import WHEELS, build_package
from hil.image.rootfs import archive_date, base_command, build_base, build_root
from hil.image.sbom import STATUS, bill_of_materials, read_contents
from hil.image.shell import Failed, run
from hil.image.tools import tool_versions
from hil.image.wheels import installed_hashes

TOLD_DIFFERENCES = 20
CHANGED = "changed while it was built"  # no key


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an image; beside it, as JSON."""

    schema: str = "ductwatch.image/1"
    version: str
    architecture: str
    key: str  # equal inputs, equal key
    date: datetime
    differences: list[str]  # from the lock
    sha256: dict[str, str]
    size_bytes: dict[str, int]
    seconds: dict[str, float]
    tools: dict[str, str]  # what each program that made it says it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """Files of one board's image below `out`. They exist once it is built."""

    board: Board
    out: Path

    @property
    def disk(self) -> Path:
        return self.out / f"ductwatch-{__version__}-{self.board.architecture}.img"

    @property
    def folder(self) -> Path:
        return self.out / self.board.architecture

    @property
    def kernel(self) -> Path:
        return self.folder / "boot/vmlinuz"

    @property
    def initramfs(self) -> Path:
        return self.folder / "boot/initrd.img"

    @property
    def package(self) -> Path:
        return self.out / f"ductwatch_{__version__}_{self.board.architecture}.deb"

    def beside(self, ending: str) -> Path:
        """`.zst`, `.bmap`, `.sha256`, `.sbom.json` or `.json`."""
        name = self.disk.name if ending == ".zst" else self.disk.stem
        return self.disk.with_name(name + ending)

    def facts(self) -> Facts | None:
        try:
            facts = msgspec.json.decode(self.beside(".json").read_bytes(), type=Facts)
        except (FileNotFoundError, msgspec.DecodeError):
            return None
        return facts if self.disk.exists() and self.kernel.exists() and self.initramfs.exists() else None


@dataclass(frozen=True, slots=True)
class Steps:
    """Tells what is being done and how long it took."""

    tell: Callable[[str], None]
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        self.tell(f"{name:<24}")
        started = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - started, 1)
        self.tell(f"{self.seconds[name]:6.1f} s\n")


@contextmanager
def only_one(out: Path) -> Iterator[None]:
    """No other build in `out` meanwhile: waits for one that runs."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def build(architecture: str, out: Path) -> Image:
    """For the rig: an image of the Debian packages that there are now, if not there already. Raises `shell.Failed`."""
    image = Image(board=BOARDS[architecture], out=out.resolve())
    unlike = build_image(image, Steps(tell), pinned=False).differences
    if unlike:
        tell(f"{len(unlike)} Debian packages are not as locked: {image.beside('.json')} says which\n")
    return image


def tell(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)


def build_image(image: Image, steps: Steps, *, pinned: bool) -> Facts:
    """The image, whole, if it is not there already.

    Debian's packages are those of the lock if `pinned`; else what the mirror has, and `differences` says where that is
    not the same. Raises `shell.Failed`.
    """
    board, key = image.board, image_key(image.board)
    with only_one(image.out):
        known = image.facts()
        if known and known.key == key and not (pinned and known.differences):
            return known
        lock = read_lock(board)
        work = _fresh(image.folder / "work")
        base, unlike = _base(image, lock, steps, pinned=pinned)
        if unlike and pinned:
            raise Failed(_complaint(board, lock, unlike))
        _assemble(image, base, lock, key, work, steps)
        if image_key(board) != key:
            steps.tell("The source has changed meanwhile: the next build will not take this one for its own.\n")
            key = CHANGED
        facts = _measure(image, lock, key, unlike, work, steps)
        _publish(image, facts, work)
        return facts


def compress(image: Image, steps: Steps) -> None:
    """The image as one file to hand on, and what to check it by."""
    with only_one(image.out):
        packed = image.beside(".zst")
        if not packed.exists():
            part = packed.with_suffix(".part")
            with steps.step("compressed"):  # as its root is already: a higher level gains nothing
                run("zstd", "-q", "-f", "-T0", "-3", image.disk, "-o", part)
            part.replace(packed)
        sums = [f"{file_digest(path)}  {path.name}\n" for path in (image.disk, packed)]
        _write_whole(image.beside(".sha256"), "".join(sums))


def package(image: Image, steps: Steps) -> Path:
    """Only the firmware's Debian package, for a board that has its own system. Raises `shell.Failed`."""
    with only_one(image.out), steps.step("firmware's package"):
        work = _fresh(image.folder / "package")
        build_package(image.board, image.folder, work, read_lock(image.board).epoch).replace(image.package)
        shutil.rmtree(work)
        return image.package


def lock_versions(image: Image, steps: Steps) -> Lock:
    """Write down what the mirror has now: with it, the next build is the same again. Raises `shell.Failed`."""
    board = image.board
    with only_one(image.out):
        work = _fresh(image.folder / "work")
        with steps.step("date of the archive"):
            date = archive_date(board, work)
        base = _build_base(image, int(date.timestamp()), steps)
        lock = Lock(date, versions(_status(base)))
        _write_whole(lock_file(board), render_lock(lock, board.architecture))
        return lock


def read_lock(board: Board) -> Lock:
    path = lock_file(board)
    try:
        return parse_lock(path.read_text())
    except FileNotFoundError as error:
        raise Failed(f'there is no {path.name}. make image ARGS="--lock" writes one') from error
    except Unlocked as error:
        raise Failed(f"{path}: {error}") from error


def _base(image: Image, lock: Lock, steps: Steps, *, pinned: bool) -> tuple[Path, list[str]]:
    """Debian's packages as a tar, and how they differ from the lock. One from before serves if it still may."""
    base = _base_path(image, lock.epoch)
    if base.exists():
        unlike = differences(lock.versions, versions(_status(base)))
        if not (pinned and unlike):
            return base, unlike
    base = _build_base(image, lock.epoch, steps)
    return base, differences(lock.versions, versions(_status(base)))


def _build_base(image: Image, epoch: int, steps: Steps) -> Path:
    base = _base_path(image, epoch)
    part = image.folder / "work/base.tar"
    with steps.step("Debian's packages"):
        build_base(image.board, part, epoch)
    for old in image.folder.glob("base-*.tar"):
        old.unlink()
    return part.replace(base)


def _base_path(image: Image, epoch: int) -> Path:
    return image.folder / f"base-{digest(Path('/'), (), *base_command(image.board), str(epoch))[:12]}.tar"


def _status(base: Path) -> str:
    return run("tar", "--extract", "--to-stdout", "--file", base, STATUS)


def _complaint(board: Board, lock: Lock, unlike: list[str]) -> str:
    more = [f"... and {len(unlike) - TOLD_DIFFERENCES} more"] if len(unlike) > TOLD_DIFFERENCES else []
    return "\n".join(
        (
            f"the mirror has not the packages of {lock_file(board).name}:",
            *(f"  {line}" for line in (*unlike[:TOLD_DIFFERENCES], *more)),
            'Take those of now:   make image ARGS="--lock"',
            f"or build with those of {lock.date:%Y%m%dT%H%M%SZ}:   MIRROR=snapshot.list (docs/board-image.md, Pins)",
        )
    )


def _assemble(image: Image, base: Path, lock: Lock, key: str, work: Path, steps: Steps) -> None:
    board, epoch = image.board, lock.epoch
    root, squashfs, disk = work / "root.tar", work / "root.squashfs", work / image.disk.name
    with steps.step("firmware's package"):
        deb = build_package(board, image.folder, work, epoch)
    with steps.step("root"):
        about = f"IMAGE_ID=ductwatch\nIMAGE_VERSION={__version__}\nBUILD_ID={key[:12]}"
        build_root(board, base, deb, root, epoch, about)
    with steps.step("squashfs"):
        build_squashfs(root, squashfs, epoch)
    with steps.step("initramfs"):
        initramfs = build_initramfs(board, root, work, epoch)
    with steps.step("disk"):
        boot = build_boot(board, root, initramfs, work, epoch)
        build_disk(boot, squashfs, build_data(work, epoch), disk)
        run("bmaptool", "create", "--output", work / image.beside(".bmap").name, disk)


def _measure(image: Image, lock: Lock, key: str, unlike: list[str], work: Path, steps: Steps) -> Facts:
    parts = {
        "image": work / image.disk.name,
        "boot": work / "boot.fat",
        "root": work / "root.squashfs",
        "data": work / "data.ext4",
        "package": work / image.package.name,
    }
    with steps.step("bill of materials"):
        wheels = installed_hashes((work / WHEELS).read_text())
        bill = bill_of_materials(image.board, read_contents(work / "root.tar"), wheels, key, lock.date)
        _write_whole(work / image.beside(".sbom.json").name, json.dumps(bill, indent=1))
    with steps.step("checksums"):
        sha256 = {name: file_digest(path) for name, path in parts.items()}
    return Facts(
        version=__version__,
        architecture=image.board.architecture,
        key=key,
        date=lock.date,
        differences=unlike,
        sha256=sha256,
        size_bytes={name: path.stat().st_size for name, path in parts.items()},
        seconds=dict(steps.seconds),
        tools=tool_versions(),
    )


def _publish(image: Image, facts: Facts, work: Path) -> None:
    """Move everything to its place, the facts last: without them nothing counts as built."""
    for ending in (".json", ".zst", ".sha256"):
        image.beside(ending).unlink(missing_ok=True)
    shutil.rmtree(image.kernel.parent, ignore_errors=True)
    (work / "boot").replace(image.kernel.parent)
    for path in (image.disk, image.beside(".bmap"), image.beside(".sbom.json"), image.package):
        (work / path.name).replace(path)
    _write_whole(image.beside(".json"), msgspec.json.format(msgspec.json.encode(facts)).decode())
    shutil.rmtree(work)


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _write_whole(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(text)
    part.replace(path)
