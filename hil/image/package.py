"""The firmware as a Debian package: /opt/ductwatch with a virtual environment of its own, unit, user, udev rules.

Nothing of the target runs while it is built, so that any machine builds for any board: wheels are chosen by their tags,
and modules are compiled when the package is installed.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from firmware import __version__
from hil.image.boards import PYTHON, Board, wheel_tags
from hil.image.shell import run
from hil.image.wheels import for_board

REPOSITORY = Path(__file__).parents[2]
HOME = "opt/ductwatch/.venv"
WHEELS = "wheels.json"  # pip's report of those that were taken
SOURCES = (  # all that the package is made of, besides packaging/
    *("drivers", "firmware", "model", "ota", "pyproject.toml", "README.md", "LICENSE", "NOTICE"),
    *("config.example.toml", "requirements/run.txt", "requirements/build.txt"),
)

CONTROL = """Package: ductwatch
Version: {version}
Architecture: {architecture}
Maintainer: ductwatch contributors
Depends: python3 (>= {python}), python3 (<< {next_python}), systemd (>= 252)
Section: misc
Priority: optional
Installed-Size: {kib}
Description: Watches an air duct day and night
 Cameras, gas, particulates, alarms and MQTT, on the board itself.
"""

POSTINST = """#!/bin/sh
set -e
if [ "$1" = configure ]; then
  systemd-sysusers ductwatch.conf
  find /{home}/lib -name __pycache__ -prune -exec rm -rf {{}} +
  # Checked against nothing, as the files beside them do not change: the start reads fewer inodes, and the image is the
  # same whenever it is built.
  /{home}/bin/python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash /{home}/lib >/dev/null || true
  if [ -d /run/systemd/system ]; then
    udevadm control --reload && udevadm trigger || true
    systemctl daemon-reload || true
    if systemctl is-active -q ductwatch; then systemctl restart ductwatch || true; fi
  fi
fi
"""

PRERM = """#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then systemctl disable --now ductwatch || true; fi
[ "$1" != remove ] || find /{home}/lib -name __pycache__ -prune -exec rm -rf {{}} +
"""

COMMAND = """#!/{home}/bin/python3
import sys

from firmware.__main__ import main

sys.exit(main())
"""


def build_package(board: Board, kept: Path, work: Path, epoch: int) -> Path:
    """Download the locked wheels into `kept`, lay out the tree in `work`, pack it.

    Returns the .deb; WHEELS is beside it. Raises `shell.Failed`.
    """
    tree = work / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    site = tree / HOME / f"lib/python{PYTHON}/site-packages"
    _install_wheels(board, kept / "wheels", work, site)
    _lay_out(tree)
    size_kib = sum(path.lstat().st_size for path in tree.rglob("*")) // 1024
    _write(tree / "DEBIAN/control", _control(board, size_kib))
    _write(tree / "DEBIAN/postinst", POSTINST.format(home=HOME), 0o755)
    _write(tree / "DEBIAN/prerm", PRERM.format(home=HOME), 0o755)
    package = work / f"ductwatch_{__version__}_{board.architecture}.deb"
    run("dpkg-deb", "--root-owner-group", "-Zzstd", "--build", tree, package, epoch=epoch)
    shutil.rmtree(tree)
    return package


def _control(board: Board, size_kib: int) -> str:
    major, minor = PYTHON.split(".")
    return CONTROL.format(
        version=__version__,
        architecture=board.architecture,
        python=PYTHON,
        next_python=f"{major}.{int(minor) + 1}",
        kib=size_kib,
    )


def _install_wheels(board: Board, wheels: Path, work: Path, site: Path) -> None:
    source, wanted = work / "source", work / "wheels.txt"
    _write(wanted, for_board((REPOSITORY / "requirements/run.txt").read_text(), board))
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    platforms = [word for tag in wheel_tags(board.machine) for word in ("--platform", tag)]
    abis = [word for abi in (f"cp{PYTHON.replace('.', '')}", "abi3", "none") for word in ("--abi", abi)]
    target = ("--python-version", PYTHON, "--implementation", "cp", *platforms, *abis)
    locked = ("--no-deps", "--only-binary=:all:", "--require-hashes", "-r", wanted)
    run(*pip, "download", *target, *locked, "--dest", wheels)
    offline = ("--no-index", "--find-links", wheels, "--no-compile", "--target", site, "--report", work / WHEELS)
    run(*pip, "install", *offline, *target, *locked)
    _copy_source(source)
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", source, source)
    # By its name: by its path, pip would write down where it lay on this machine.
    run(
        *pip,
        "install",
        "--no-index",
        "--find-links",
        source,
        "--no-deps",
        "--no-compile",
        "--target",
        site,
        "ductwatch",
    )
    shutil.rmtree(source)
    forget_commands(site)


def forget_commands(site: Path) -> None:
    """Their first line names this machine's Python: remove them, and their hashes from what pip wrote down."""
    shutil.rmtree(site / "bin", ignore_errors=True)
    for record in site.glob("*.dist-info/RECORD"):
        lines = record.read_text().splitlines(keepends=True)
        record.write_text("".join(line for line in lines if not line.startswith("../../bin/")))


def _copy_source(target: Path) -> None:
    """Apart, as setuptools would put into the wheel whatever an earlier build left in build/lib."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in SOURCES:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (target / name).parent.mkdir(exist_ok=True)
            shutil.copy(source, target / name)


def _lay_out(tree: Path) -> None:
    home, packaging = tree / HOME, REPOSITORY / "packaging"
    (home / "bin").mkdir(parents=True)
    (home / "bin/python3").symlink_to(f"/usr/bin/python{PYTHON}")
    (home / "bin/python").symlink_to("python3")
    _write(home / "pyvenv.cfg", f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {PYTHON}\n")
    _write(home / "bin/ductwatch", COMMAND.format(home=HOME), 0o755)
    (tree / "usr/bin").mkdir(parents=True)
    (tree / "usr/bin/ductwatch").symlink_to(f"/{HOME}/bin/ductwatch")
    for source, target in (
        (packaging / "ductwatch.service", "lib/systemd/system/ductwatch.service"),
        (packaging / "ductwatch-preset.service", "lib/systemd/system/ductwatch-preset.service"),
        (packaging / "ductwatch.sysusers", "usr/lib/sysusers.d/ductwatch.conf"),
        (packaging / "ductwatch.rules", "lib/udev/rules.d/60-ductwatch.rules"),
        (REPOSITORY / "config.example.toml", "usr/share/doc/ductwatch/config.example.toml"),
        (REPOSITORY / "LICENSE", "usr/share/doc/ductwatch/copyright"),
        (REPOSITORY / "NOTICE", "usr/share/doc/ductwatch/NOTICE"),
    ):
        _write(tree / target, source.read_text())
    for path in tree.rglob("*"):  # whatever umask this was built under
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
