"""The initramfs: busybox, the drivers that a root can hang on, and `initramfs/init`. Nothing of it runs here."""

from __future__ import annotations

import fnmatch
import shutil
from pathlib import Path, PurePosixPath

from hil.image.boards import Board
from hil.image.shell import Failed, run

INIT = Path(__file__).parent / "initramfs/init"
APPLETS = (
    *("blockdev", "cat", "cut", "dd", "find", "hexdump", "md5sum", "mkdir", "modprobe", "mount", "od", "printf"),
    *("readlink", "reboot", "sed", "seq", "sh", "sleep", "sort", "switch_root", "tr", "xargs"),
)

# In the order of names and with numbers of its own: the same files give the same archive. $0 is the tree.
PACK = "cd $0; find . | LC_ALL=C sort | cpio --quiet --create --format=newc --reproducible --owner=0:0 > $1"

# What a root on a USB stick, an SD card, an SSD or a virtual disk needs, on any board; what else one needs: boards.py.
DRIVERS = (
    "fs/squashfs/squashfs",
    "fs/overlayfs/overlay",
    "drivers/virtio/virtio_pci*",
    "drivers/virtio/virtio_mmio",
    "drivers/block/virtio_blk",
    "drivers/scsi/virtio_scsi",
    "drivers/scsi/sd_mod",
    "drivers/ata/ahci*",
    "drivers/nvme/host/nvme",
    "drivers/usb/host/*",
    "drivers/usb/storage/usb-storage",
    "drivers/usb/storage/uas",
    "drivers/mmc/core/mmc_block",
    "drivers/mmc/host/sdhci*",
)


def build_initramfs(board: Board, root: Path, work: Path, epoch: int) -> Path:
    """From the tar `root`, the compressed archive that the kernel unpacks. Raises `shell.Failed`."""
    tree = work / "initramfs"
    shutil.rmtree(tree, ignore_errors=True)
    for folder in ("bin", "dev", "proc", "root", "run", "sys", "lib"):
        (tree / folder).mkdir(parents=True)
    members = run("tar", "--list", "--file", root).splitlines()
    _take(root, [_only(members, "*/bin/busybox")], tree / "bin")
    for applet in APPLETS:
        (tree / "bin" / applet).symlink_to("busybox")
    _take_modules(board, root, members, tree)
    shutil.copy(INIT, tree / "init")
    for path in tree.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    run("find", tree, "-exec", "touch", "--no-dereference", f"--date=@{epoch}", "{}", "+")
    archive, packed = work / "initrd.cpio", work / "initrd.img"
    run("sh", "-euc", PACK, tree, archive)
    run("zstd", "-q", "-19", "-f", "--rm", archive, "-o", packed)
    return packed


def with_dependencies(dependencies: str, builtin: str, patterns: tuple[str, ...]) -> list[str]:
    """Modules of modules.dep(5) that match a pattern (without endings, below kernel/), and all that they need.

    `builtin` lists those that are part of the kernel. Raises `shell.Failed` for a pattern that matches neither.
    """
    needs = {}
    for line in dependencies.splitlines():
        module, _, needed = line.partition(":")
        needs[module] = needed.split()
    wanted: set[str] = set()
    missing = []
    for pattern in patterns:
        found = [module for module in needs if _fits(module, pattern)]
        if not found and not any(_fits(module, pattern) for module in builtin.splitlines()):
            missing.append(pattern)
        wanted.update(name for module in found for name in (module, *needs[module]))
    if missing:
        raise Failed(
            f"the kernel has no driver {', '.join(missing)}: a board that needs it would not find its root. "
            "Look for its new name in modules.dep, and put that into DRIVERS (initramfs.py) or drivers (boards.py)."
        )
    return sorted(wanted)


def _fits(module: str, pattern: str) -> bool:
    return fnmatch.fnmatch(module.removeprefix("kernel/").partition(".ko")[0], pattern)


def _take_modules(board: Board, root: Path, members: list[str], tree: Path) -> None:
    folder = PurePosixPath(_only(members, "*/lib/modules/*/modules.dep")).parent
    target = tree / "lib/modules" / folder.name
    lists = [
        f"{folder}/{name}" for name in ("modules.dep", "modules.order", "modules.builtin", "modules.builtin.modinfo")
    ]
    _take(root, [f"./{name}" for name in lists], target, strip=str(folder))
    dependencies, builtin = ((target / name).read_text() for name in ("modules.dep", "modules.builtin"))
    wanted = with_dependencies(dependencies, builtin, (*DRIVERS, *board.drivers))
    _take(root, [f"./{folder}/{name}" for name in wanted], target, strip=str(folder))
    run("depmod", "--basedir", tree, folder.name)  # aliases of these modules only: quick to search
    for path in target.glob("*.bin"):  # for kmod's own modprobe: busybox reads the texts
        path.unlink()


def _take(root: Path, members: list[str], target: Path, strip: str = "") -> None:
    target.mkdir(parents=True, exist_ok=True)
    depth = len(PurePosixPath(strip).parts) if strip else len(PurePosixPath(members[0]).parts) - 1
    run("tar", "--extract", "--file", root, "--directory", target, f"--strip-components={depth + 1}", *members)


def _only(members: list[str], pattern: str) -> str:
    (member,) = fnmatch.filter(members, pattern)
    return member
