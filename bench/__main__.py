"""`python -m bench [NAME ...]`: measures, prints tables, writes JSON and a picture."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from pathlib import Path

from bench.machine import load, this_machine
from bench.results import SCHEMA, Document, NothingToMeasure, Result, Setup, load_all, save
from bench.table import text

BENCHMARKS = {
    "pipeline": "frame to verdict, against bare invoke and against a user's OpenCV script (2 min)",
    "realtime": "latency of verdicts and event loop, idle and under four CPU hogs, with and without priority (6 min)",
    "cold-start": "from starting the process to its first verdict, and what its imports cost (1 min)",
    "memory": "resident memory of the whole firmware, and of each library (1 min)",
    "cpu": "CPU time at one snapshot a minute (6 min)",
    "checks": "what the checks of the picture find and what they wrongly refuse, on rendered ducts (5 min)",
    "outbox": "messages a second in and out of the outbox, on disk and through a broker (1 min)",
    "rules": "answers of a compiled rule, against three libraries; what 1,000 rules cost and a day's replay (5 min)",
    "fleet": "a rollout to 100, 1,000 and 10,000 simulated boards, and a bad one that is to be stopped (10 min)",
    "delta": "bytes for a board that has the model before, against zstd and bsdiff (2 min)",
    "install": "verifying a 5 MB bundle and installing it lastingly, against hashing and copying it (1 min)",
}
FOLDER = Path(__file__).parent / "results"
PICTURE = "bench.png"
EX_LEFT_OUT = 1  # one of those that were asked for could not be measured


def main() -> int:
    parser = _parser()
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in BENCHMARKS:
            parser.error(f"no benchmark {name!r}: choose from {', '.join(BENCHMARKS)}")
    folder = arguments.output or (FOLDER / "quick" if arguments.quick else FOLDER)
    left_out = 0
    for name in arguments.names or BENCHMARKS:
        try:
            document = _run(name, arguments)
        except NothingToMeasure as missing:
            print(f"{name}: {missing}", file=sys.stderr)
            left_out = EX_LEFT_OUT
            continue
        print(text(document), flush=True)
        print(f"written to {_short(save(document, folder))}", file=sys.stderr)
    from bench.picture import draw, draw_curves  # matplotlib would be in the way of what is measured

    documents = load_all(folder)
    draw(documents, folder / PICTURE)
    for document in documents:
        draw_curves(document, folder / f"{document.result.name}.png")
    print(f"picture of all in that folder: {_short(folder / PICTURE)}", file=sys.stderr)
    return left_out


def _run(name: str, arguments: argparse.Namespace) -> Document:
    setup = Setup(
        quick=arguments.quick,
        model=arguments.model,
        progress=lambda step: print(f"{name}: {step}", file=sys.stderr, flush=True),
    )
    before = load()
    result: Result = importlib.import_module(f"bench.{name.replace('-', '_')}").measure(setup)
    return Document(
        schema=SCHEMA,
        day=time.strftime("%Y-%m-%d", time.gmtime()),
        quick=arguments.quick,
        load=(before, load()),
        machine=this_machine(),
        result=result,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make bench",
        description="Measure what the firmware promises. Tables go to stdout, progress to stderr, "
        "JSON and a picture to bench/results. Pass options as: make bench ARGS='pipeline memory --quick'",
        epilog="benchmarks, all of them if none is named:\n"
        + "\n".join(f"  {name:<12}{what}" for name, what in BENCHMARKS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which; see below")
    parser.add_argument(
        "--quick", action="store_true", help="rough figures within two minutes, into bench/results/quick"
    )
    parser.add_argument("--output", type=Path, metavar="DIR", help="write JSON and picture there")
    parser.add_argument("--model", type=Path, metavar="BUNDLE", help="another model bundle than the one that ships")
    return parser


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


if __name__ == "__main__":
    sys.exit(main())
