"""Runs the programs that make an image. Each has a time limit; what it said is shown only if it fails."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

LIMIT_S = 3600.0  # the longest is a root file system under emulation: some ten minutes
TOLD_LINES = 30


class Failed(Exception):
    """A program failed; the message has its command and the end of what it said."""


def run(*words: str | Path, epoch: int | None = None, stdin: Path | None = None, **environment: str) -> str:
    """Run a program and return its stdout. `epoch` dates what it makes (reproducible-builds.org, SOURCE_DATE_EPOCH)."""
    command = [str(word) for word in words]
    variables = os.environ | {"LC_ALL": "C.UTF-8", "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"} | environment
    if epoch is not None:
        variables |= {"SOURCE_DATE_EPOCH": str(epoch), "E2FSPROGS_FAKE_TIME": str(epoch)}
    try:
        with open(stdin or os.devnull, "rb") as source:
            done = subprocess.run(
                command, stdin=source, capture_output=True, env=variables, timeout=LIMIT_S, check=False
            )
    except FileNotFoundError as error:
        raise Failed(f"{command[0]} is not installed: make image and make hil install it where they may") from error
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{command[0]} did not end within {LIMIT_S:g} s") from error
    if done.returncode:
        said = (done.stderr or done.stdout).decode(errors="replace").splitlines()[-TOLD_LINES:]
        raise Failed(f"{' '.join(command[:3])} … failed ({done.returncode}):\n" + "\n".join(said))
    return done.stdout.decode(errors="replace")
