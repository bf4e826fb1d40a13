"""The disk image: a FAT partition to start from, the root as a squashfs, and ext4 for data. Nothing here needs root.

An MBR, since a partition table at both ends of the disk (GPT) would be wrong as soon as the card is larger.
"""

from __future__ import annotations

import os
import shutil
from fnmatch import fnmatch
from pathlib import Path

from firmware import __version__
from hil.image.boards import Board
from hil.image.shell import run

HERE = Path(__file__).parent
MIB = 1024 * 1024
SECTOR = 512
DISK_ID = 0x64756374  # "duct": what the kernel finds the root by (PARTUUID)
BOOT_BYTES = 128 * MIB
DATA_BYTES = 128 * MIB  # as flashed; it grows to the end of the card at the first start
DATA_MOST_BYTES = 2**32 * SECTOR  # 2 TiB: as far as an MBR counts
BLOCK_BYTES = 4096
INODE_EACH_BYTES = 32 * 1024  # a picture has 50 to 200 kB
DATA_UUID = "64756374-7761-7463-6864-617461000001"

# `quiet` for the start's sake: a serial console takes 0.1 ms a character. A kernel that panics starts anew (sysctl.d).
OPTIONS = f"root=PARTUUID={DISK_ID:08x}-02 quiet loglevel=4 audit=0 panic=10 fsck.repair=yes"

LOADER = "default ductwatch\ntimeout 0\neditor no\n"
ENTRY = "title ductwatch {version}\nlinux /vmlinuz\ninitrd /initrd.img\noptions {options}\n"
FIRMWARE = ("start4.elf", "fixup4.dat")  # of a Raspberry Pi 4, whose first loader is in the board itself

# https://www.raspberrypi.com/documentation/computers/config_txt.html
CONFIG_TXT = """# Read by the Raspberry Pi's own firmware.
arm_64bit=1
kernel=vmlinuz
initramfs initrd.img followkernel
upstream_kernel=1
disable_splash=1
# /dev/ttyS1 on GPIO 14 and 15, for a sensor: this keeps its clock steady.
enable_uart=1
"""


def build_squashfs(root: Path, squashfs: Path, epoch: int) -> None:
    """The tar `root` as a read-only file system. lz4 would start 5 % faster, and take a quarter more room."""
    squashfs.unlink(missing_ok=True)
    options: tuple[str, ...] = (
        "-comp",
        "zstd",
        "-Xcompression-level",
        "9",
        "-b",
        "128K",
        "-noappend",
        "-quiet",
        "-no-progress",
    )
    options += ("-root-mode", "0755")  # of which the tar says nothing; its owner is who runs this: root, of a namespace
    as_root = () if os.getuid() == 0 else ("unshare", "--map-root-user")
    run(*as_root, "mksquashfs", "-", squashfs, "-tar", *options, stdin=root, epoch=epoch)


def build_boot(board: Board, root: Path, initramfs: Path, work: Path, epoch: int) -> Path:
    """The FAT partition: loader, kernel, initramfs, and the one file that a technician edits."""
    files = work / "boot"
    shutil.rmtree(files, ignore_errors=True)
    files.mkdir(parents=True)
    members = run("tar", "--list", "--file", root).splitlines()
    (kernel,) = (member for member in members if member.startswith("./boot/vmlinuz-"))
    _extract(root, kernel, files / "vmlinuz")
    _extract(root, f"./usr/lib/systemd/boot/efi/{board.efi_loader}", files / f"EFI/BOOT/{board.efi_boot}")
    shutil.copy(initramfs, files / "initrd.img")
    console = f"{OPTIONS} console=tty0 console={board.console}"
    _write(files / "loader/loader.conf", LOADER)
    _write(files / "loader/entries/ductwatch.conf", ENTRY.format(version=__version__, options=console))
    if board.for_raspberry_pi:
        _add_raspberry_pi(root, members, files)
    for source in (HERE / "boot").iterdir():
        _write(files / source.name, source.read_text())
    _write(files / "config.example.toml", (HERE.parents[1] / "config.example.toml").read_text())
    image = work / "boot.fat"
    image.unlink(missing_ok=True)
    with image.open("wb") as file:
        file.truncate(BOOT_BYTES)
    run("mkfs.vfat", "-F", "32", "-s", "1", "-i", f"{DISK_ID:08x}", "-n", "DW-BOOT", "--invariant", image, epoch=epoch)
    run("find", files, "-exec", "touch", "--no-dereference", f"--date=@{epoch}", "{}", "+")
    for path in sorted(files.rglob("*")):  # one by one: `mcopy -s` takes what is in a folder in the host's order
        copy = ("mmd", "-i", image) if path.is_dir() else ("mcopy", "-m", "-i", image, path)
        run(*copy, f"::{path.relative_to(files)}", epoch=epoch, TZ="UTC")
    return image


def build_data(work: Path, epoch: int) -> Path:
    """The ext4 partition, empty but for the folders that are mounted elsewhere.

    mke2fs would choose for a small disk that stays one.
    """
    image = work / "data.ext4"
    image.unlink(missing_ok=True)
    with image.open("wb") as file:
        file.truncate(DATA_BYTES)
    sizes = ("-b", str(BLOCK_BYTES), "-i", str(INODE_EACH_BYTES), "-m", "1")
    extended = (
        f"hash_seed={DATA_UUID}",
        "root_owner=0:0",
        "lazy_itable_init=0",
        f"resize={DATA_MOST_BYTES // BLOCK_BYTES - 1}",
    )
    identity = ("-L", "dw-data", "-U", DATA_UUID, "-E", ",".join(extended))
    run("mkfs.ext4", "-q", *sizes, "-e", "remount-ro", *identity, image, epoch=epoch)
    folders = work / "folders"
    folders.write_text("".join(f"mkdir {name}\n" for name in ("ductwatch", "journal", "ssh", "timesync")))
    run("debugfs", "-w", "-f", folders, image, epoch=epoch, DEBUGFS_FAKE_TIME=str(epoch))
    return image


def build_disk(boot: Path, squashfs: Path, data: Path, image: Path) -> None:
    """All three partitions, each beginning at a whole MiB, as one file that is copied onto a card as it is."""
    image.unlink(missing_ok=True)
    table = [f"label: dos\nlabel-id: 0x{DISK_ID:08x}\n"]
    start = MIB
    for part, kind in ((boot, "c, bootable"), (squashfs, "83"), (data, "83")):
        size = -(-part.stat().st_size // MIB) * MIB
        table.append(f"start={start // SECTOR}, size={size // SECTOR}, type={kind}\n")
        start += size
    with image.open("wb") as file:
        file.truncate(start)
    script = image.with_suffix(".sfdisk")
    script.write_text("".join(table))
    run("sfdisk", "--quiet", image, stdin=script)
    script.unlink()
    offset = MIB
    for part in (boot, squashfs, data):
        run("dd", f"if={part}", f"of={image}", "bs=1M", f"seek={offset // MIB}", "conv=notrunc,sparse")
        offset += -(-part.stat().st_size // MIB) * MIB


def _add_raspberry_pi(root: Path, members: list[str], files: Path) -> None:
    trees = [member for member in members if fnmatch(member, "*/broadcom/bcm27*.dtb")]
    for member in (*trees, *(f"./usr/lib/raspi-firmware/{name}" for name in FIRMWARE)):
        _extract(root, member, files / Path(member).name)
    _write(files / "config.txt", CONFIG_TXT)
    _write(files / "cmdline.txt", f"{OPTIONS} console=tty1\n")


def _extract(root: Path, member: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    run("tar", "--extract", "--file", root, "--directory", target.parent, "--transform", f"s|.*|{target.name}|", member)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
