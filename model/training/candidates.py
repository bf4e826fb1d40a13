"""Compares the networks that the shipped model could be: `python -m model.training.candidates --out DIR`.

Each learns from the same drawings and is measured on the same held-out ducts. Writes a bundle for each, candidates.json
and candidates.md. One that is there is not trained again, and none with other settings or by other code is added. A
teacher is kept as long as the command runs: where only its row is there, from an earlier time, it is trained again, and
its student's minutes are of both.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from model.errors import ModelError, NoPlace
from model.interpreter import Interpreter
from model.manifest import parse_manifest
from model.shipped import shipped_bundle
from model.training.bundle import MODEL
from model.training.data.whole_file import write_whole
from model.training.sources import digest_of
from model.training.train import EX_USAGE, NAMES, draw_all, drawing_options, make, quiet_and_nice, timed_lines

RUNS: Final = 300
SETTINGS: Final = ("seed", "scenes", "measured")  # that all rows have in common, as they have the code
CODE: Final = ("model.training.train", "model.training.architectures", "model.training.network")
DIGITS: Final = 12
PI4_SHIPPED_MS: Final = 17 * 4 / 3.15 * 0.79
"""The most that what ships takes on a Raspberry Pi 4, by one thread: MobileNetV2 1.0 at 224 in int8 takes it 17 ms by
four (64-bit, XNNPACK's README, 8 February 2022), so at most 68 ms by one; it took an x86-64 server core 3.15 ms where
cut-160, as what ships is made, took 0.79. An estimate: nothing of this was run on one."""

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
    settings = {name: getattr(options, name) for name in SETTINGS} | {"code": digest_of(CODE)[:DIGITS]}
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
    shipped_ms, *took_ms = milliseconds([shipped_bundle(), *(options.out / name for name in rows)])
    for row, of_row_ms in zip(rows.values(), took_ms, strict=True):
        row["invoke_ms"] = of_row_ms
    write_whole(table, _json(settings, rows, shipped_ms=shipped_ms))
    write_whole(options.out / "candidates.md", markdown(rows, shipped_ms))
    print(markdown(rows, shipped_ms))


def rows_before(table: Path, settings: Mapping[str, int | str]) -> Rows:
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


def _json(settings: Mapping[str, int | str], rows: Rows, **timed: float) -> str:
    return json.dumps({"settings": settings, **timed, "rows": rows}, indent=2) + "\n"


def milliseconds(bundles: Sequence[Path]) -> list[float]:
    """Medians of one thread, each network run in turn, so that a busy machine slows all alike."""
    networks: list[tuple[Interpreter, npt.NDArray[np.int8]]] = []
    for bundle in bundles:
        manifest = parse_manifest((bundle / "manifest.json").read_bytes())
        picture = np.zeros((1, manifest.input.height, manifest.input.width, 3), np.int8)
        networks.append((Interpreter((bundle / MODEL).read_bytes(), manifest), picture))
    took_ns: list[list[int]] = [[] for _ in networks]
    for _ in range(RUNS):
        for (network, picture), took in zip(networks, took_ns, strict=True):
            started_ns = time.perf_counter_ns()
            network.run(picture)
            took.append(time.perf_counter_ns() - started_ns)
    return [statistics.median(took) / 1e6 for took in took_ns]


def markdown(rows: Rows, shipped_ms: float) -> str:
    """`shipped_ms`: what the model that ships took in the same run."""
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
    lines = [names, ["---"] * len(names), *(_cells(row, shipped_ms) for row in best_first)]
    table = "".join("| " + " | ".join(line) + " |\n" for line in lines)
    return (
        f"{table}\nms: on this machine, where the model that ships takes {shipped_ms:.2f}. Pi 4, ms: in proportion to "
        f"that one, which takes it up to {PI4_SHIPPED_MS:.0f} by an estimate; nothing was run on one.\n"
    )


def _cells(row: dict[str, Any], shipped_ms: float) -> Iterable[str]:
    yield row["network"]
    yield str(row["side"])
    for name in ("float_accuracy", "accuracy", "recall_dirty", "calibration_error", "spearman"):
        yield f"{row[name]:.3f}"
    yield f"{row['size_bytes'] / 1e3:.0f}"
    yield f"{row['invoke_ms']:.2f}"
    yield f"up to {row['invoke_ms'] / shipped_ms * PI4_SHIPPED_MS:.0f}"


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
