"""One TOML file with its text at hand, so that whatever is wrong in it can be pointed at: file, line, remedy."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, TypeVar, get_args

import msgspec

from drivers.settings import from_table
from firmware.errors import ConfigError, ConfigMissing
from firmware.toml_positions import KeyPath, locate

MAX_CONFIG_BYTES = 2 * 1024 * 1024  # the example has 15 kB, the certificates of [system.files] at most 1 MiB
S = TypeVar("S")
WORDS = {
    "`": "",
    r"\bint\b": "a whole number",
    r"\bfloat\b": "a number",
    r"\barray\b": "a list",
    r"\bobject\b": "a table",
}
"""msgspec's, and how they are put to a technician."""


def read(path: Path) -> Document:
    """Read a configuration file. Raises `ConfigError`; `ConfigMissing` where there is none."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_CONFIG_BYTES + 1)
    except FileNotFoundError as error:
        raise ConfigMissing(f"{path}: cannot be read: {error.strerror}. Check the path.") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}. Check the path and its permissions.") from error
    if len(content) > MAX_CONFIG_BYTES:
        raise ConfigError(f"{path}: larger than {MAX_CONFIG_BYTES} bytes. This is not a ductwatch configuration.")
    try:
        return Document(content.decode("utf-8-sig"), path)  # Windows' editors begin a file with a byte order mark
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text at byte {error.start}. Save the file as UTF-8.") from error


class Document:
    """`tables` are as `tomllib` gives them. All methods raise `ConfigError`, or make one."""

    def __init__(self, text: str, path: Path) -> None:
        self._text = text
        self._path = path
        try:
            self.tables: dict[str, Any] = tomllib.loads(text)
        except (ValueError, RecursionError) as error:  # also a number of thousands of digits, or as many brackets
            raise ConfigError(f"{path}: not TOML: {error}. See config.example.toml for the form.") from error

    def error(self, key_path: KeyPath, problem: str) -> ConfigError:
        return ConfigError(f"{self._path}:{locate(self._text, key_path)}: {problem}")

    def section(self, name: str, kind: type[S]) -> S:
        """A table of which there is one; where it is not written, its defaults."""
        table = self.tables.get(name, {})
        if not isinstance(table, dict):
            raise self.error((name,), f"[{name}] must be one table, written once with single brackets")
        return self.convert((name,), table, kind)

    def convert(self, where: KeyPath, table: dict[str, Any], kind: type[S]) -> S:
        try:
            return from_table(table, kind)
        except msgspec.ValidationError as error:
            problem, key_path = _explain(str(error), where, table, kind)
            raise self.error(where + key_path, problem) from error


def nearest(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """The end of a sentence about an unknown word: which one may be meant."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f": did you mean {near[0]!r}?" if near else otherwise


def _explain(message: str, where: KeyPath, table: dict[str, Any], kind: type[Any]) -> tuple[str, KeyPath]:
    """Turn msgspec's words (`… - at `$.a[0].b``) into ours, with the path of the key that is meant."""
    problem, _, path = message.partition(" - at `")
    key_path: KeyPath = tuple(int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]$`]+", path))
    if unknown := re.search(r"unknown field `(.+?)`", problem):
        return f"unknown key {unknown[1]!r}{nearest(unknown[1], _keys(kind, key_path))}", (*key_path, unknown[1])
    if missing := re.search(r"missing required field `(.+?)`", problem):
        return f"{missing[1]} is missing: add it", key_path
    first = problem.split(maxsplit=1)[0].strip(":'")
    if not key_path or first in _written(table, key_path):  # a check of a whole table begins with the key that it means
        return problem, (*key_path, first)
    words = [part for part in where + key_path if isinstance(part, str)]
    if problem == "Expected `array`, got `object`":
        return f"{words[-1]}: each is a table of its own: write [[{'.'.join(words)}]] with double brackets", key_path
    for theirs, ours in WORDS.items():
        problem = re.sub(theirs, ours, problem)
    return f"{words[-1]}: {problem[:1].lower()}{problem[1:]}", key_path


def _written(table: Any, key_path: KeyPath) -> Collection[str]:
    """The keys of the table at `key_path`; none where there is no table."""
    for part in key_path:
        table = table[part]
    return table if isinstance(table, dict) else ()


def _keys(kind: Any, key_path: KeyPath) -> list[str]:
    """The keys that the table at `key_path` may have."""
    for part in key_path:
        if isinstance(part, str):
            (declared,) = (field.type for field in msgspec.structs.fields(kind) if field.encode_name == part)
            kind = next(inner for inner in (declared, *get_args(declared)) if _is_table(inner))
    return [field.encode_name for field in msgspec.structs.fields(kind)]


def _is_table(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)
