"""`make hil`: builds the board image if its inputs changed, starts it on the virtual bench, and runs the suite."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hil.accelerator import CPU, accelerator
from hil.card import make_key
from hil.failed import NothingFailed, failed_tests
from hil.features import collected, listed
from hil.image.build import build
from hil.image.shell import Failed
from hil.kernel import unpacked

HERE = Path(__file__).resolve().parent
OUT = HERE.parent / "build/hil"
RESULTS = OUT / "results"
EX_FAILED = 1


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m hil", description=__doc__, epilog="Everything else goes to pytest."
    )
    parser.add_argument("--lg-env", type=Path, default=HERE / "env.yaml", help="labgrid environment of another bench")
    parser.add_argument("--features", action="store_true", help="list which tests need what a bench can do, and end")
    parser.add_argument("--failed", action="store_true", help="only what failed in the last run")
    known, others = parser.parse_known_args()
    if known.features:
        print(listed(collected(HERE)))
        return 0
    try:
        again = failed_tests(RESULTS / "junit.xml", HERE) if known.failed else []
        return run_suite(known.lg_env, [*others, *again])
    except (Failed, NothingFailed, OSError) as error:
        print(error, file=sys.stderr)
        return EX_FAILED


def run_suite(bench: Path, others: Sequence[str]) -> int:
    """Pytest's exit status. `bench` is labgrid's environment, `others` are words for pytest."""
    environment = os.environ | {"PYTHONPATH": str(HERE.parent)}
    with tempfile.TemporaryDirectory(prefix="ductwatch-rig-") as folder:  # socket paths are at most 107 bytes long
        if bench.resolve() == HERE / "env.yaml":
            environment |= rig_environment(Path(folder))
        shutil.rmtree(RESULTS, ignore_errors=True)
        RESULTS.mkdir(parents=True)
        pytest: list[str | Path] = [sys.executable, "-m", "pytest", "-c", HERE / "pytest.ini", "--rootdir", HERE]
        command = [*pytest, "--lg-env", bench, f"--junitxml={RESULTS / 'junit.xml'}", *with_tests(others)]
        environment["LG_RIG_RESULTS"] = str(RESULTS)
        return subprocess.run(command, env=environment, check=False).returncode


def with_tests(words: Sequence[str]) -> list[str]:
    """Pytest's words, with the whole suite where they name no tests. An option's own word, as of -k, names none."""
    return list(words) if any(_names_tests(word) for word in words) else [*words, str(HERE)]


def _names_tests(word: str) -> bool:
    if word.startswith("-"):
        return False
    below = Path(word).resolve()
    return word.endswith(".py") or "::" in word or (below.is_relative_to(HERE) and below.exists())


def rig_environment(folder: Path) -> dict[str, str]:
    """What hil/env.yaml refers to. Builds the image if need be."""
    image = build("amd64", OUT.parent / "image")
    return {
        "LG_RIG_FOLDER": str(folder),
        "LG_RIG_IMAGE": str(image.disk),
        "LG_RIG_KERNEL": str(unpacked(image.kernel, folder)),
        "LG_RIG_INITRD": str(image.initramfs),
        "LG_RIG_KEY": str(make_key(folder)),
        "LG_RIG_ADDRESS": f"127.22.{os.getpid() // 250 % 250}.{os.getpid() % 250 + 1}",  # labgrid's port is no template
        "LG_RIG_CPU": CPU,
        "LG_RIG_ACCEL": accelerator(image.kernel),
        "LG_RIG_MORE": "",
    }


if __name__ == "__main__":
    sys.exit(main())
