"""Compares the networks that the shipped model could be: `python -m model.training.candidates --out DIR`.

Each learns from the same drawings and is measured on the same held-out ducts. Writes a bundle for each, candidates.json
and candidates.md. One that is there is not trained again, and none with other settings is added. A teacher is kept as
long as the command runs: where only its row is there, from an earlier time, it is trained again, and its student's
minutes are of both.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from model.errors import ModelError, NoPlace
from model.interpreter import Interpreter
from model.manifest import parse_manifest
from model.training.bundle import MODEL
from model.training.data.whole_file import write_whole
from model.training.train import EX_USAGE, NAMES, draw_all, drawing_options, make, quiet_and_nice, timed_lines

RUNS: Final = 300
SETTINGS: Final = ("seed", "scenes", "measured")  # that all rows have in common
PI4_TIMES: Final = 17 * 4 / 3.15
"""How much longer a Raspberry Pi 4 takes at most, by one thread: MobileNetV2 1.0 at 224 in int8 takes it 17 ms by four
(64-bit, XNNPACK's README, 8 February 2022), so at most 68 ms by one; and 3.15 ms an x86-64 server core. An estimate:
nothing of this was run on one."""

Rows = dict[str, dict[str, Any]]


def main(arguments: list[str]) -> int:
    options = _options(arguments)
    try:
        _run(options)
    except ModelError as error:
        print(f"model.training.candidates: {error}", file=sys.stderr)
        return EX_USAGE
    return 0


def _run(options: argparse.Namespace) -> None:
    table = options.out / "candidates.json"
    settings = {name: getattr(options, name) for name in SETTINGS}
    rows = rows_before(table, settings)
    options.out.mkdir(parents=True, exist_ok=True)
    quiet_and_nice()
    say = timed_lines()
    ducts = draw_all(options.drawn, scenes=options.scenes, measured=options.measured, seed=options.seed)
    from model.training.architectures import ARCHITECTURES, Architecture

    taught: dict[Architecture, Any] = {}
    for name in options.only or ARCHITECTURES:
        if name in rows:
            continue
        architecture, started_s = ARCHITECTURES[name], time.monotonic()
        worth = make(options.out / name, architecture, ducts, seed=options.seed, say=say, taught=taught)
        rows[name] = {
            "network": architecture.title,
            "side": architecture.side,
            "float_accuracy": worth.float_accuracy,
            **asdict(worth.figures),
            "size_bytes": worth.size_bytes,
            "minutes": (time.monotonic() - started_s) / 60,
        }
        write_whole(table, _json(settings, rows))
    bundles = {name: options.out / name for name in rows}
    for name, took_ms in _milliseconds(bundles).items():
        rows[name]["invoke_ms"] = took_ms
    write_whole(table, _json(settings, rows))
    write_whole(options.out / "candidates.md", markdown(rows))
    print(markdown(rows))


def rows_before(table: Path, settings: Mapping[str, int]) -> Rows:
    """What is in the table already. Raises `NoPlace` if that is of other settings."""
    if not table.exists():
        return {}
    document = json.loads(table.read_text())
    if document.get("settings") != settings:
        words = ", ".join(f"{name} {value}" for name, value in document.get("settings", {}).items())
        problem = f"{table}: has rows of other settings ({words or 'which were not noted then'})"
        raise NoPlace(problem, remedy="Choose another folder for --out, or remove that file")
    rows: Rows = document["rows"]
    return rows


def _json(settings: Mapping[str, int], rows: Rows) -> str:
    return json.dumps({"settings": settings, "rows": rows}, indent=2) + "\n"


def _milliseconds(bundles: dict[str, Path]) -> dict[str, float]:
    """Medians of one thread, each network run in turn, so that a busy machine slows all alike."""
    networks: dict[str, Interpreter] = {}
    pictures: dict[str, npt.NDArray[np.int8]] = {}
    took_ns: dict[str, list[int]] = {name: [] for name in bundles}
    for name, bundle in bundles.items():
        manifest = parse_manifest((bundle / "manifest.json").read_bytes())
        networks[name] = Interpreter((bundle / MODEL).read_bytes(), manifest)
        pictures[name] = np.zeros((1, manifest.input.height, manifest.input.width, 3), np.int8)
    for _ in range(RUNS):
        for name, network in networks.items():
            started_ns = time.perf_counter_ns()
            network.run(pictures[name])
            took_ns[name].append(time.perf_counter_ns() - started_ns)
    return {name: statistics.median(each) / 1e6 for name, each in took_ns.items()}


def markdown(rows: Rows) -> str:
    names = (
        "network",
        "input",
        "float",
        "int8",
        "recall of dirty",
        "calibration error",
        "Spearman",
        "kB",
        "ms",
        "Pi 4, ms",
    )
    best_first = sorted(rows.values(), key=lambda row: -row["accuracy"])
    lines = [names, ["---"] * len(names), *(_cells(row) for row in best_first)]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def _cells(row: dict[str, Any]) -> Iterable[str]:
    yield row["network"]
    yield str(row["side"])
    for name in ("float_accuracy", "accuracy", "recall_dirty", "calibration_error", "spearman"):
        yield f"{row[name]:.3f}"
    yield f"{row['size_bytes'] / 1e3:.0f}"
    yield f"{row['invoke_ms']:.2f}"
    yield f"up to {row['invoke_ms'] * PI4_TIMES:.0f}"


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m model.training.candidates", description="Compares the networks that the model could be."
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the bundles and the table")
    parser.add_argument(
        "--only", nargs="+", choices=NAMES, metavar="NAME", help="of model.training.architectures (default: all)"
    )
    drawing_options(parser)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
