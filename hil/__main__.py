"""`make hil`: builds the board image if its inputs changed, starts it on the virtual bench, and runs the suite."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from hil.accelerator import CPU, accelerator
from hil.card import make_key
from hil.features import collected, listed
from hil.image.build import build

HERE = Path(__file__).parent
OUT = HERE.parent / "build/hil"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m hil", description=__doc__, epilog="Everything else goes to pytest."
    )
    parser.add_argument("--lg-env", type=Path, default=HERE / "env.yaml", help="labgrid environment of another bench")
    parser.add_argument("--features", action="store_true", help="list which tests need what a bench can do, and end")
    known, others = parser.parse_known_args()
    if known.features:
        print(listed(collected(HERE)))
        return 0
    environment = os.environ | {"PYTHONPATH": str(HERE.parent)}
    with tempfile.TemporaryDirectory(prefix="ductwatch-rig-") as folder:  # socket paths are at most 107 bytes long
        if known.lg_env == HERE / "env.yaml":
            environment |= rig_environment(Path(folder))
        results = OUT / "results"
        shutil.rmtree(results, ignore_errors=True)
        results.mkdir(parents=True)
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-c",
            HERE / "pytest.ini",
            "--rootdir",
            HERE,
            "--lg-env",
            known.lg_env,
        ]
        command += [f"--junitxml={results / 'junit.xml'}", *others]
        if not any(Path(word.split("::")[0]).exists() for word in others if not word.startswith("-")):
            command.append(HERE)
        environment["LG_RIG_RESULTS"] = str(results)
        return subprocess.run(command, env=environment, check=False).returncode


def rig_environment(folder: Path) -> dict[str, str]:
    """What hil/env.yaml refers to. Builds the image if need be."""
    image = build("amd64", OUT.parent / "image")
    return {
        "LG_RIG_FOLDER": str(folder),
        "LG_RIG_IMAGE": str(image.disk),
        "LG_RIG_KERNEL": str(image.kernel),
        "LG_RIG_INITRD": str(image.initramfs),
        "LG_RIG_KEY": str(make_key(folder)),
        "LG_RIG_ADDRESS": f"127.22.{os.getpid() // 250 % 250}.{os.getpid() % 250 + 1}",  # labgrid's port is no template
        "LG_RIG_CPU": CPU,
        "LG_RIG_ACCEL": accelerator(image.kernel),
        "LG_RIG_MORE": "",
    }


if __name__ == "__main__":
    sys.exit(main())
