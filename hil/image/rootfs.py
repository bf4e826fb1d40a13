"""The board's root file system as a tar: Debian's packages first, then our settings and the firmware upon them.

The first half depends on the list of packages only and is kept; a change to the firmware costs the second half.
"""

from __future__ import annotations

import os
import shlex
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from hil.image.boards import SUITE, Board
from hil.image.shell import Failed, run

HERE = Path(__file__).parent
SETTINGS = HERE / "rootfs"
COMPONENTS = "main,non-free-firmware"  # the latter for what a Raspberry Pi starts with
DATES = r"""sed -n 's/^Date: //p' "$1"/var/lib/apt/lists/*Release"""  # $1: the root that mmdebstrap works in

LEFT_OUT = (  # for size; licences stay
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/lib/modules/*/kernel/sound/*",
    "path-exclude=/lib/modules/*/kernel/drivers/gpu/*",
    "path-exclude=/lib/modules/*/kernel/drivers/infiniband/*",
    "path-exclude=/lib/modules/*/kernel/drivers/isdn/*",
    "path-exclude=/lib/modules/*/kernel/drivers/media/tuners/*",
    "path-exclude=/lib/modules/*/kernel/drivers/media/dvb-*",
    "path-exclude=/lib/modules/*/kernel/fs/ocfs2/*",
    "path-exclude=/lib/modules/*/kernel/fs/gfs2/*",
    "path-exclude=/lib/modules/*/kernel/fs/ceph/*",
    "path-exclude=/lib/modules/*/kernel/fs/btrfs/*",
    "path-exclude=/lib/modules/*/kernel/fs/xfs/*",
)

DOCUMENTS = "/usr/share/doc/ductwatch"  # of the firmware: the licence asks for NOTICE, and /etc/issue names the folder

ENABLED = (
    "ductwatch-preset.service",
    "ductwatch.service",
    "ssh.service",
    "systemd-networkd.service",
    "systemd-resolved.service",
    "systemd-timesyncd.service",
)

MASKED = (  # nothing here updates itself, nobody logs in at a desk, and each unit costs its share of the start
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dev-hugepages.mount",
    "dev-mqueue.mount",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "kmod-static-nodes.service",
    "modprobe@cdc_acm.service",
    "modprobe@configfs.service",
    "modprobe@dm_mod.service",
    "modprobe@drm.service",
    "modprobe@efi_pstore.service",
    "modprobe@fuse.service",
    "modprobe@i2c_dev.service",
    "modprobe@loop.service",
    "modprobe@usbserial.service",
    "modprobe@videodev.service",
    "proc-sys-fs-binfmt_misc.automount",
    "sys-fs-fuse-connections.mount",
    "sys-kernel-config.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "systemd-ask-password-console.path",
    "systemd-ask-password-wall.path",
    "systemd-binfmt.service",
    "systemd-firstboot.service",
    "systemd-logind.service",
    "systemd-machine-id-commit.service",
    "systemd-network-generator.service",
    "systemd-networkd-wait-online.service",
    "systemd-pstore.service",
    "systemd-random-seed.service",
    "systemd-remount-fs.service",
    "systemd-rfkill.socket",
    "systemd-sysusers.service",
    "systemd-tmpfiles-setup-dev.service",
    "systemd-update-utmp.service",
    "systemd-update-utmp-runlevel.service",
    "systemd-user-sessions.service",
    "wpa_supplicant.service",
)

UNUSED_RULES = (  # of udev, which goes through all of them for each device: for desks, discs and arrays of discs
    "60-autosuspend.rules",
    "60-cdrom_id.rules",
    "60-drm.rules",
    "60-evdev.rules",
    "60-fido-id.rules",
    "60-input-id.rules",
    "60-persistent-alsa.rules",
    "60-persistent-input.rules",
    "60-persistent-storage-tape.rules",
    "60-sensor.rules",
    "61-autosuspend-manual.rules",
    "64-btrfs.rules",
    "70-camera.rules",
    "70-joystick.rules",
    "70-memory.rules",
    "70-mouse.rules",
    "70-power-switch.rules",
    "70-touchpad.rules",
    "70-uaccess.rules",
    "71-power-switch-proliant.rules",
    "71-seat.rules",
    "73-seat-late.rules",
    "75-probe_mtd.rules",
    "78-sound-card.rules",
    "96-e2scrub.rules",
)

UNUSED_GENERATORS = (  # each is a program run at every start, for what this image does not have
    "systemd-bless-boot-generator",
    "systemd-cryptsetup-generator",
    "systemd-debug-generator",
    "systemd-gpt-auto-generator",
    "systemd-hibernate-resume-generator",
    "systemd-integritysetup-generator",
    "systemd-rc-local-generator",
    "systemd-run-generator",
    "systemd-system-update-generator",
    "systemd-sysv-generator",
    "systemd-veritysetup-generator",
)


REMOVED = (
    "/boot/firmware/*",  # raspi-firmware's own copy; the boot partition is mounted there
    "/etc/ssh/ssh_host_*",  # each board makes its own
    "/etc/machine-id",
    "/var/lib/dbus/machine-id",
    "/etc/apt/sources.list",  # there is no apt: packages are for the next image
    # of the machine that built it, or different each time
    "/etc/.resolv.conf.systemd-resolved.bak",
    "/var/cache/ldconfig",
    "/var/cache/debconf",
    "/var/lib/systemd/random-seed",
    "/var/log/*",
)


def packages(board: Board) -> list[str]:
    """Names from packages.txt that this board gets."""
    names = []
    for line in (HERE / "packages.txt").read_text().splitlines():
        only, _, name = line.partition("#")[0].strip().rpartition(":")
        if name and only in {"", board.architecture}:
            names.append(name)
    return names


def mirror() -> list[str]:
    """From the environment, as mmdebstrap(1) takes it: an address or a file for sources.list. Debian's own without."""
    return [os.environ["MIRROR"]] if os.environ.get("MIRROR") else []


def archive_date(board: Board, work: Path) -> datetime:
    """When the newest part of the archive was published that a base would be built from now."""
    dates = work / "dates"
    hook = f"--customize-hook={DATES} > {shlex.quote(str(dates))}"
    run("mmdebstrap", *_origin(board), "--variant=custom", hook, "--format=null", SUITE, "-", *mirror())
    found = [parsedate_to_datetime(line) for line in dates.read_text().splitlines()]
    dates.unlink()
    if not found:
        raise Failed("the archive has no Release file with a date: see MIRROR in docs/board-image.md")
    return max(found).astimezone(UTC)


def base_command(board: Board) -> list[str]:
    """What makes the base, but for where it goes: so also what it depends on."""
    options = [f"--dpkgopt={option}" for option in LEFT_OUT]
    options.append("--skip=output/dev")  # which a user may not unpack, and the kernel fills anyway (devtmpfs)
    return ["mmdebstrap", *_origin(board), "--variant=essential", f"--include={','.join(packages(board))}", *options]


def build_base(board: Board, base: Path, epoch: int) -> None:
    """Debian's packages into the tar `base`. `shell.Failed` where a package or the network is missing."""
    initrd = "No"  # ours is in initramfs.py
    run(*base_command(board), SUITE, base, *mirror(), epoch=epoch, INITRD=initrd)


def build_root(board: Board, base: Path, package: Path, root: Path, epoch: int, about: str) -> None:
    """`base` with our settings and the firmware's package, as the tar `root`. `about` goes into /etc/os-release."""
    settings = root.with_name("settings.tar")
    owner = ("--owner=0", "--group=0", "--numeric-owner", "--mode=u=rwX,go=rX", f"--mtime=@{epoch}")
    run("tar", "--create", "--sort=name", *owner, "--directory", SETTINGS, "--file", settings, ".")
    run(
        "mmdebstrap",
        f"--architectures={board.architecture}",
        "--variant=custom",
        "--skip=update",
        f"--setup-hook=tar-in {shlex.quote(str(base))} /",
        '--setup-hook=mkdir -p "$1/dev"',  # which base_command leaves out
        f"--customize-hook=tar-in {shlex.quote(str(settings))} /",
        f"--customize-hook=upload {shlex.quote(str(package))} /ductwatch.deb",
        f"--customize-hook={_steps(board, about)}",
        "",
        root,
        epoch=epoch,
    )


def _origin(board: Board) -> list[str]:
    return [f"--architectures={board.architecture}", f"--components={COMPONENTS}"]


def _steps(board: Board, about: str) -> str:
    """What is done inside, as a shell command that has the root's path in $1."""
    commands = (
        "set -eu",
        "mkdir -p /boot/firmware /data/ductwatch /data/journal /data/ssh /data/timesync /etc/systemd/system-generators",
        f"dpkg --path-include='{DOCUMENTS}/*' --install /ductwatch.deb",
        f"ls {DOCUMENTS}/copyright {DOCUMENTS}/NOTICE {DOCUMENTS}/config.example.toml > /dev/null",  # or the build ends
        "rm /ductwatch.deb",
        *(f"ln -s /dev/null /etc/systemd/system-generators/{name}" for name in UNUSED_GENERATORS),
        *(f"ln -s /dev/null /etc/udev/rules.d/{name}" for name in UNUSED_RULES),
        # Debian keeps watchdog drivers from loading by themselves. Each does nothing where its device is not.
        f"printf '%s\\n' {' '.join(board.watchdogs)} > /etc/modules-load.d/watchdog.conf",
        f"systemctl enable {' '.join(ENABLED)}",
        f"systemctl mask --quiet {' '.join(MASKED)}",
        "ln -sf ../run/systemd/resolve/resolv.conf /etc/resolv.conf",
        f"printf '%s\\n' {shlex.quote(about)} >> /usr/lib/os-release",
        "touch /usr/lib/clock-epoch",  # systemd starts a board without a clock at this file's date
        f"rm -rf {' '.join(REMOVED)}",
        "touch /etc/machine-id",
        "ln -s /data/journal /var/log/journal",
    )
    return 'chroot "$1" sh -c ' + shlex.quote("; ".join(commands))
