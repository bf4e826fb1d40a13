from __future__ import annotations

from pathlib import Path

import pytest

from model.training.data.samples import BadDataset
from model.training.measurements import MOST_ROWS, Measurement, read_measurements

pytestmark = pytest.mark.real


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "wipes.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_pictures_lie_beside_the_file_and_other_columns_are_left_alone(tmp_path: Path) -> None:
    path = written(tmp_path, 'where,g_m2,picture\n"AHU 3, return",1.5,a.jpg\n,0,sub/b.jpg\n')

    assert read_measurements(path) == (
        Measurement(2, tmp_path / "a.jpg", 1.5),
        Measurement(3, tmp_path / "sub/b.jpg", 0.0),
    )


def test_what_a_spreadsheet_saves_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, "picture,g_m2\r\n a.jpg , 3.25 \r\n\r\n,,\r\nb.jpg,1e-1\r\n".encode("utf-8-sig"))

    assert [(one.line, one.g_m2) for one in read_measurements(path)] == [(2, 3.25), (5, 0.1)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", r":1: no column is named picture\. Its first line is picture,g_m2"),
        ("a.jpg,1.5\n", ":1: no column is named picture"),
        ("picture,grams\n", ":1: no column is named g_m2"),
        ("picture,g_m2,g_m2\n", ":1: two columns are named g_m2"),
        ("picture;g_m2\na.jpg;1,5\n", r":1: its columns are divided by semicolons\. Save it as CSV with commas"),
        ("picture,g_m2\na.jpg,1\nb.jpg\n", ":3: no g_m2"),
        ("picture,g_m2\n,1\n", ":2: no picture"),
        ("picture,g_m2\na.jpg,much\n", ":2: g_m2 is 'much', not a number such as 1.5"),
        ('picture,g_m2\na.jpg,"1,5"\n', ":2: g_m2 is '1,5', not a number"),
        ("picture,g_m2\na.jpg,1_5\n", ":2: g_m2 is '1_5', not a number"),
        ("picture,g_m2\na.jpg,nan\n", ":2: g_m2 is 'nan', not a number"),
        ("picture,g_m2\na.jpg,inf\n", ":2: g_m2 is 'inf', not a number"),
        ("picture,g_m2\na.jpg,-1\n", ":2: g_m2 is -1, and a deposit is 0 to 1000"),
        ("picture,g_m2\na.jpg,1e9\n", r":2: g_m2 is 1e9, and a deposit is 0 to 1000\. Convert it"),
        ("picture,g_m2\na.jpg,1\nb.jpg,2\na.jpg,3\n", r":4: a\.jpg has a row already, line 2"),
        ("picture,g_m2\na.jpg,1\na\0.jpg,1\n", r":3: picture is 'a\\x00.jpg', and no file can be called so"),
        ('picture,g_m2\n"a.jpg,1\n', ":2: not CSV"),
        ("picture,g_m2\n" + "a" * 200_000 + ",1\n", ":2: not CSV"),
        (b"\xff\xfep\0", "not UTF-8 text at byte 0"),
        ("picture,g_m2\n" + "#" * 5_000_000, "larger than 4 MiB"),
        ("picture,g_m2\n" + "".join(f"{n}.jpg,1\n" for n in range(MOST_ROWS + 1)), ":10002: more than 10000 rows"),
    ],
    ids=range(21),
)
def test_what_cannot_be_meant_is_named_with_its_line(tmp_path: Path, text: str | bytes, problem: str) -> None:
    with pytest.raises(BadDataset, match=rf"wipes\.csv:? ?{problem}"):
        read_measurements(written(tmp_path, text))


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match=r"wipes\.csv: cannot be read: No such file"):
        read_measurements(tmp_path / "wipes.csv")
