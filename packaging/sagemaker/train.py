"""The entry point of a SageMaker training job in script mode: `ductwatch model train`, told where SageMaker has things.

There is no other trainer in it. docs/sagemaker.md says how to start a job, and what was tried.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

NOT_OURS = ("model_dir",)  # TensorFlow's containers add it: an address in S3, where SM_MODEL_DIR is what is uploaded
FLAGS = ("fixed-cameras", "json")  # options of `ductwatch model train` that take no value
ASKED = {"true": True, "True": True, "false": False, "False": False}  # by JSON, and by Python, as SageMaker sends them
EX_USAGE, EX_SIGNAL = 2, 128
REASON_CHARACTERS = 1024  # DescribeTrainingJob shows no more


class Refused(Exception):
    """The job was not started as it has to be."""


def main() -> int:
    home = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
    try:
        status, reason = run(command(sys.argv[1:], os.environ, home))
    except Refused as error:
        status, reason = EX_USAGE, str(error)
        print(reason, file=sys.stderr)
    if status:
        failure = Path(os.environ.get("SM_OUTPUT_DIR", home / "output")) / "failure"
        failure.parent.mkdir(parents=True, exist_ok=True)
        failure.write_text(reason[-REASON_CHARACTERS:])
    return status


def command(arguments: Sequence[str], environment: Mapping[str, str], home: Path) -> list[str]:
    """The arguments of `ductwatch`. Hyperparameters are its options, with hyphens or underscores; a list repeats one.
    Those that take no value are true or false.

    They come in SM_HPS, and without it in `arguments`: TensorFlow's containers do not quote spaces in these.
    """
    hyperparameters = environment.get("SM_HPS")
    options = json.loads(hyperparameters) if hyperparameters is not None else dict(_pairs(arguments))
    for name in NOT_OURS:
        options.pop(name, None)
    try:
        data = Path(environment["SM_CHANNEL_TRAINING"], str(options.pop("data", "")))
        out = environment["SM_MODEL_DIR"]
    except KeyError as error:
        raise Refused(f"{error.args[0]} is not set: start the job with a channel that is called training") from error
    checkpoints = home / "checkpoints"  # SageMaker makes it for jobs with a place to keep them
    kept = [f"--checkpoints={checkpoints}"] if checkpoints.is_dir() else []
    wanted = [
        argument
        for name, given in options.items()
        for value in (given if isinstance(given, list) else [given])
        for argument in _option(name.replace("_", "-"), str(value))
    ]
    return ["model", "train", f"--data={data}", f"--out={out}", *kept, *wanted]


def _option(name: str, value: str) -> list[str]:
    if name in FLAGS and value in ASKED:
        return [f"--{name}"] if ASKED[value] else []
    return [f"--{name}={value}"]


def _pairs(arguments: Sequence[str]) -> list[tuple[str, str]]:
    names, values = arguments[::2], arguments[1::2]
    if len(names) != len(values) or not all(name.startswith("--") for name in names):
        raise Refused(f"{' '.join(arguments)}: hyperparameters are pairs of --name and value")
    return [(name.removeprefix("--"), value) for name, value in zip(names, values, strict=True)]


def run(arguments: Sequence[str]) -> tuple[int, str]:
    """Its exit status and its last words. SIGTERM, by which SageMaker announces the end, is handed on."""
    ductwatch = [sys.executable, "-m", "firmware", *arguments]
    last = ""
    with subprocess.Popen(ductwatch, stderr=subprocess.PIPE, text=True, errors="replace") as process:
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        assert process.stderr is not None
        for line in process.stderr:
            print(line, end="", file=sys.stderr, flush=True)
            last = line.strip() or last
    if process.returncode < 0:
        return EX_SIGNAL - process.returncode, f"killed by {signal.Signals(-process.returncode).name}, after: {last}"
    return process.returncode, last


if __name__ == "__main__":
    sys.exit(main())
