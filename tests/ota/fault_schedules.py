"""`python -m tests.ota.fault_schedules --count 10000 --seed 0`: the life of the slots under random faults.

With `--update` the whole update, which takes some hundred times as long. Each schedule has a seed of its own, counted
from `--seed`; one that fails is named, and `--count 1 --seed` it again.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from tests.fakes.cut_disk import CutDisk
from tests.fakes.faults import schedule
from tests.ota.slot_life import ROOT, walk
from tests.ota.update_life import UpdateLife

STEPS = 8  # one release from staged to kept takes four
UPDATES = 3
EX_FOUND = 1


def one(seed: int) -> int:
    """The faults that were tried. Raises what went wrong."""
    random = Random(seed)
    return schedule(walk(random, STEPS), CutDisk(ROOT), random)


def one_of_updates(seed: int) -> int:
    with TemporaryDirectory(prefix="ductwatch-faults-") as home:
        life = UpdateLife(Path(home))
        return schedule(life.walk(UPDATES), life.disk, Random(seed))


def main() -> int:
    parser = argparse.ArgumentParser(description="Puts the life of the slots under random faults")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--update", action="store_true")
    arguments = parser.parse_args()
    began, faults = time.monotonic(), 0
    for done, seed in enumerate(range(arguments.seed, arguments.seed + arguments.count), 1):
        try:
            faults += one_of_updates(seed) if arguments.update else one(seed)
        except Exception:  # noqa: BLE001 - whatever it is, the seed has to be told
            traceback.print_exc()
            again = f"--count 1 --seed {seed}{' --update' if arguments.update else ''}"
            print(f"\nseed {seed} fails: python -m tests.ota.fault_schedules {again}", file=sys.stderr)
            return EX_FOUND
        if done % (10 if arguments.update else 500) == 0 or done == arguments.count:
            print(f"{done:>7} schedules {faults:>8} faults {time.monotonic() - began:>7.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
