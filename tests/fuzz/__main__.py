"""`make fuzz ARGS="--minutes 5"`: each target in turn with random input, guided by what it covers (docs/fuzzing.md)."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

TARGETS = (
    "rules_file",
    "expressions",
    "rule_tests",
    "recordings",
    "commands",
    "alarm_database",
    "engine",
    "jobs",
    "deltas",
)
FOLDER = Path(__file__).parents[2] / "build" / "fuzz"
IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # files that are written thousands of times
EX_FOUND = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What libFuzzer said of one target: inputs tried, edges of the code that they reached, inputs worth keeping."""

    name: str
    executions: int
    edges: int
    kept: int
    crashed: str

    def __str__(self) -> str:
        found = self.crashed or "nothing found"
        return f"{self.name:<16}{self.executions:>12}{self.edges:>8}{self.kept:>8}  {found}"


def main() -> int:
    arguments = _parser().parse_args()
    names = arguments.targets or TARGETS
    print(f"{'target':<16}{'executions':>12}{'edges':>8}{'kept':>8}")
    outcomes = []
    for name in names:
        outcomes.append(_run(name, round(60 * arguments.minutes), arguments.folder / name))
        print(outcomes[-1], flush=True)
    return EX_FOUND if any(one.crashed for one in outcomes) else 0


def _run(name: str, seconds: int, folder: Path) -> Outcome:
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.fuzz.one", name, str(seconds), str(folder)]
    log = folder / "log.txt"
    with log.open("w") as said, tempfile.TemporaryDirectory(prefix="ductwatch-fuzz-", dir=IN_MEMORY) as scratch:
        environment = {**os.environ, "TMPDIR": scratch}  # libFuzzer ends without letting a target tidy up
        done = subprocess.run(command, stdout=said, stderr=said, env=environment, check=False)  # it has its own limits
    text = log.read_text(errors="replace")
    covered = re.findall(r"cov: (\d+) ft: \d+ corp: (\d+)", text) or [("0", "0")]
    executions = (
        re.findall(r"stat::number_of_executed_units: (\d+)", text) or re.findall(r"^#(\d+)", text, re.M) or ["0"]
    )
    return Outcome(
        name=name,
        executions=int(executions[-1]),
        edges=int(covered[-1][0]),
        kept=int(covered[-1][1]),
        crashed=f"FAILED, see {log}" if done.returncode else "",
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make fuzz",
        description="Try random input on whatever reads text or bytes from outside, one target after another. What "
        "fails is kept in build/fuzz/TARGET, and so is what reached new code, for the next time.",
        epilog=f"targets: {', '.join(TARGETS)}",
    )
    parser.add_argument("targets", nargs="*", choices=[[], *TARGETS], metavar="TARGET", help="which; all by default")
    parser.add_argument("--minutes", type=float, default=5.0, help="for each target (default: 5)")
    parser.add_argument("--folder", type=Path, default=FOLDER, metavar="DIR", help="where it is kept")
    return parser


if __name__ == "__main__":
    sys.exit(main())
