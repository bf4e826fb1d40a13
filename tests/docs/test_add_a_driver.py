"""docs/add-a-driver.md, carried out in a copy of the repository: what it shows works, and it is all that it takes."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.real

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs" / "add-a-driver.md").read_text(encoding="utf-8")
COPIED = ("docs", "drivers", "firmware", "model", "ota", "tests")
FILES = dict(re.findall(r"^`(\S+\.py)`\n\n```python\n(.*?)```$", PAGE, re.MULTILINE | re.DOTALL))
ADDITIONS = re.findall(r"```diff\n (.*)\n\+(.*)\n```", PAGE)
TABLE = "firmware/devices.py"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository with what the page adds, and nothing else."""
    root = tmp_path_factory.mktemp("repository")
    for name in COPIED:
        shutil.copytree(REPOSITORY / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "config.example.toml"):
        shutil.copy(REPOSITORY / name, root)
    for name, text in FILES.items():
        (root / name).write_text(text)
    table = (root / TABLE).read_text()
    for before, added in ADDITIONS:
        assert table.count(f"{before}\n") == 1
        table = table.replace(f"{before}\n", f"{before}\n{added}\n")
    (root / TABLE).write_text(table)
    return root


def run(copy: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=300, check=False)


def test_it_takes_one_file_in_drivers_one_row_and_one_test() -> None:
    assert list(FILES) == ["drivers/i2c/sht31.py", "tests/drivers/i2c/test_sht31.py"]
    assert [added.split()[0] for _, added in ADDITIONS] == ["from", '"sht31":']


@pytest.mark.parametrize(
    "command",
    [["ruff", "format", "--check", *FILES, TABLE], ["ruff", "check", *FILES, TABLE], ["mypy", *FILES]],
    ids=["format", "lint", "types"],
)
def test_it_is_in_house_style(copy: Path, command: list[str]) -> None:
    done = run(copy, *command)

    assert done.returncode == 0, done.stdout + done.stderr


def test_its_test_passes_and_nothing_else_was_forgotten(copy: Path) -> None:
    promises = [
        "tests/drivers/i2c/test_sht31.py",
        "tests/firmware/test_config.py",
        "tests/firmware/rules/test_documentation.py",
    ]
    done = run(copy, "pytest", "-q", "-p", "no:cacheprovider", *promises)

    assert done.returncode == 0, done.stdout


def test_check_looks_for_it(copy: Path) -> None:
    (table,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (row,) = re.findall(r"```text\n(.*?)\n```", PAGE, re.DOTALL)
    bus = str(copy / "i2c-1")  # no machine has this one
    (copy / "config.toml").write_text(table.replace("/dev/i2c-1", bus))

    done = run(copy, "firmware", "check", "--config", "config.toml")

    assert done.returncode == 1
    assert row.replace("/dev/i2c-1", bus) in done.stdout
