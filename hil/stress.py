"""Work that competes with the firmware: stress-ng of the host's, brought to the board with the libraries it needs."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hil.board import Board

PLACE = "/root/stress-ng"  # on the overlay: gone at the next start


@contextmanager
def stressed(board: Board, folder: Path, *options: str) -> Iterator[None]:
    """stress-ng runs with these options for the length of the block, as an ordinary service.

    It comes with its own dynamic loader, so that host and board need not be of one release; of one architecture they
    must be. Raises AssertionError if it does not run.
    """
    if not board.tells(f"test -e {PLACE}"):
        board.shell.put(str(packed(folder / "stress-ng.tar")), "/root/stress-ng.tar")
        board.run(f"mkdir {PLACE} && tar -xf /root/stress-ng.tar -C {PLACE} && rm /root/stress-ng.tar")
    start = f"{PLACE}/loader --library-path {PLACE} {PLACE}/stress-ng {' '.join(options)}"
    board.run(f"systemd-run --quiet --unit=stress-ng {start}")
    try:
        yield
        assert board.show("ActiveState", unit="stress-ng.service")["ActiveState"] == "active", board.journal(
            unit="stress-ng.service"
        )
    finally:
        board.tells("systemctl stop stress-ng.service; systemctl reset-failed stress-ng.service")


def packed(file: Path) -> Path:
    """An archive of stress-ng, the dynamic loader (as `loader`) and the shared objects that ldd(1) names."""
    program = shutil.which("stress-ng")
    assert program is not None, "the host has no stress-ng: apt-get install stress-ng"
    said = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    needed = [Path(word) for word in said.split() if word.startswith("/")]
    with tarfile.open(file, "w", dereference=True) as archive:
        archive.add(program, "stress-ng")
        for path in needed:
            archive.add(path, "loader" if path.name.startswith("ld-") else path.name)
    return file
