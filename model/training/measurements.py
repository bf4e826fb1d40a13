"""What somebody measured: a CSV file with a picture and its deposit a row."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from model.manifest import MOST_G_M2
from model.training.data.contents import can_be_path
from model.training.data.samples import BadDataset

PICTURE, GRAMS = "picture", "g_m2"
BETWEEN = "between"  # folder beside clean/ and dirty/ for pictures whose deposit is known, and that nobody would label
MAX_BYTES = 4 * 1024 * 1024
MOST_ROWS = 10_000
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
LAYOUT = f"Its first line is {PICTURE},{GRAMS} and each further one a picture and grams per m2, such as duct.jpg,1.5"


@dataclass(frozen=True, slots=True)
class Measurement:
    """`line` of the file; `g_m2` is 0 to 1000."""

    line: int
    picture: Path
    g_m2: float


def read_measurements(path: Path) -> tuple[Measurement, ...]:
    """All rows; paths of pictures are relative to the file's folder. Raises `BadDataset`, with the line, at the first
    that cannot be meant.
    """
    found: list[Measurement] = []
    lines: dict[Path, int] = {}
    for line, row in _rows(path, _text(path)):
        if len(found) == MOST_ROWS:
            raise _bad(path, line, f"more than {MOST_ROWS} rows")
        if not (name := row[PICTURE]):
            raise _bad(path, line, f"no {PICTURE}")
        if not can_be_path(name):
            raise _bad(path, line, f"{PICTURE} is {name!r}, and no file can be called so", remedy="Take the line out")
        measurement = Measurement(line, path.parent / name, _grams(path, line, row[GRAMS]))
        if measurement.picture in lines:
            first = lines[measurement.picture]
            raise _bad(path, line, f"{name} has a row already, line {first}", remedy="Keep one row for each picture")
        lines[measurement.picture] = line
        found.append(measurement)
    return tuple(found)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadDataset(f"{path}: cannot be read: {error.strerror}", remedy="Check the path") from error
    if len(content) > MAX_BYTES:
        raise BadDataset(f"{path}: larger than {MAX_BYTES // 1024 // 1024} MiB", remedy=LAYOUT)
    try:
        return content.decode("utf-8-sig")  # spreadsheets begin a file with a byte order mark
    except UnicodeDecodeError as error:
        raise BadDataset(f"{path}: not UTF-8 text at byte {error.start}", remedy="Save it as CSV in UTF-8") from error


def _rows(path: Path, text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Line and cells, without the blanks around them; empty where there is none."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        places = {name: _place(path, header, name) for name in (PICTURE, GRAMS)}
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, {name: _cell(row, place) for name, place in places.items()}
    except csv.Error as error:
        raise _bad(path, reader.line_num, f"not CSV ({error})") from error


def _place(path: Path, header: list[str], name: str) -> int:
    if header.count(name) == 1:
        return header.index(name)
    if len(header) == 1 and ";" in header[0]:
        remedy = "Save it as CSV with commas between the columns and points in the numbers"
        raise _bad(path, 1, "its columns are divided by semicolons", remedy=remedy)
    raise _bad(path, 1, f"{'two columns are' if name in header else 'no column is'} named {name}")


def _cell(row: list[str], place: int) -> str:
    return row[place].strip() if place < len(row) else ""


def _grams(path: Path, line: int, text: str) -> float:
    if not text:
        raise _bad(path, line, f"no {GRAMS}")
    if not NUMBER.fullmatch(text):
        raise _bad(path, line, f"{GRAMS} is {text[:40]!r}, not a number such as 1.5")
    grams = float(text)
    if not 0 <= grams <= MOST_G_M2:
        said = f"{GRAMS} is {text[:40]}, and a deposit is 0 to {MOST_G_M2:g}"
        raise _bad(path, line, said, remedy="Convert it: 1 mg on 100 cm2 is 0.1 g/m2")
    return grams


def _bad(path: Path, line: int, problem: str, *, remedy: str = LAYOUT) -> BadDataset:
    return BadDataset(f"{path}:{line}: {problem}", remedy=remedy)
