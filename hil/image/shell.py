"""Runs the programs that make an image. Each has a time limit; what it said is shown only if it fails."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

LIMIT_S = 3600.0  # the longest is arm64's packages under emulation: 10 minutes on two busy cores
STOP_S = 30.0  # for mmdebstrap to unmount and to remove what it began
TOLD_LINES = 30


class Failed(Exception):
    """An image cannot be made; the message says why: a program's last words, or what to do."""


def run(*words: str | Path, epoch: int | None = None, stdin: Path | None = None, **environment: str) -> str:
    """Run a program and return its stdout. `epoch` dates what it makes (reproducible-builds.org, SOURCE_DATE_EPOCH)."""
    command = [str(word) for word in words]
    variables = os.environ | {"LC_ALL": "C.UTF-8", "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"} | environment
    if epoch is not None:
        variables |= {"SOURCE_DATE_EPOCH": str(epoch), "E2FSPROGS_FAKE_TIME": str(epoch)}
    with (stdin or Path(os.devnull)).open("rb") as source:
        try:
            process = subprocess.Popen(
                command, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=variables
            )
        except FileNotFoundError as error:
            raise Failed(
                f"{command[0]} is not installed. scripts/image_tools.sh installs what an image needs."
            ) from error
    with process:
        try:
            said, complained = process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired as error:
            _stop(process)
            raise Failed(f"{command[0]} did not end within {LIMIT_S:g} s") from error
        except BaseException:
            _stop(process)
            raise
    if process.returncode:
        last = (complained or said).decode(errors="replace").splitlines()[-TOLD_LINES:]
        raise Failed(f"{' '.join(command[:3])} … failed ({process.returncode}):\n" + "\n".join(last))
    return said.decode(errors="replace")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.communicate(timeout=STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
