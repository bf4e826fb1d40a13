"""Where in a TOML text a key stands: `tomllib` does not tell, and whoever must mend a file needs the line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection

KeyPath = tuple[str | int, ...]
"""Keys, and indices from 0, as `tomllib` nests them: `("rule", 2, "limit")`."""

TOKEN = re.compile(
    r"""
      (?P<blank>   [ \t\r]+ | \#[^\n]* )
    | (?P<newline> \n )
    | (?P<string>  \"{3} (?: \\. | [^\\] )*? \"{3,5}  |  '{3} .*? '{3,5}  |  " (?: \\. | [^"\\\n] )* "  |  '[^'\n]*' )
    | (?P<bare>    [^\s\#"'\[\]{}=,.]+ )
    | (?P<mark>    . )
    """,
    re.VERBOSE | re.DOTALL,
)


def locate(text: str, path: KeyPath) -> int:
    """The line, from 1, on which `path` is written in `text`; that of the nearest table around it if it is not there.

    `text` must be TOML that `tomllib` accepts; for any other the line is a guess.
    """
    lines = _Reader(text).lines
    while path not in lines:
        path = path[:-1]
    return lines[path]


class _Reader:
    """Reads only as much of the grammar as it takes to know which key starts on which line."""

    def __init__(self, text: str) -> None:
        self.lines: dict[KeyPath, int] = {(): 1}
        self._tokens = _tokens(text)
        self._next = 0
        self._latest: dict[KeyPath, int] = {}  # arrays of tables, with the index of the last one so far
        table: KeyPath = ()
        while self._skip("\n"):
            if self._peek() == "[":
                table = self._header()
            else:
                self._pair(table)
            self._until("\n")

    def _header(self) -> KeyPath:
        line = self._line()
        self._next += 1
        is_array = self._peek() == "["
        if is_array:
            self._next += 1
        *parents, last = self._key("]\n") or ("",)
        table: KeyPath = ()
        for part in parents:
            table = self._inside((*table, part), line)
        table = (*table, last)
        if is_array:
            self.lines.setdefault(table, line)
            self._latest[table] = self._latest.get(table, -1) + 1
        return self._inside(table, line)

    def _inside(self, table: KeyPath, line: int) -> KeyPath:
        """The table that a header means by its name: of an array of tables, the last one."""
        if table in self._latest:
            table = (*table, self._latest[table])
        self.lines.setdefault(table, line)  # one that is named again keeps its first line
        return table

    def _pair(self, table: KeyPath) -> None:
        line = self._line()
        path = table
        for part in self._key("=\n"):
            path = (*path, part)
            self.lines.setdefault(path, line)
        if self._peek() == "=":
            self._next += 1
            self._value(path)

    def _value(self, path: KeyPath) -> None:
        opening = self._peek()
        if opening and opening in "[{":
            self._next += 1
            index = 0
            while self._skip("\n,") not in ("", "]", "}"):
                if opening == "[":
                    self.lines.setdefault((*path, index), self._line())
                    self._value((*path, index))
                else:
                    self._pair(path)
                index += 1
            self._next += 1
        else:
            self._until(",]}\n")

    def _key(self, end: Collection[str]) -> tuple[str, ...]:
        return tuple(_unquoted(token) for token in self._until(end) if token != ".")

    def _until(self, end: Collection[str]) -> list[str]:
        """Take all tokens before the next one of `end`."""
        first = self._next
        while (token := self._peek()) and token not in end:
            self._next += 1
        return [token for token, _ in self._tokens[first : self._next]]

    def _skip(self, tokens: Collection[str]) -> str:
        """Pass over `tokens` and return what comes then, empty at the end of the text."""
        while (token := self._peek()) and token in tokens:
            self._next += 1
        return token

    def _peek(self) -> str:
        return self._tokens[self._next][0] if self._next < len(self._tokens) else ""

    def _line(self) -> int:
        return self._tokens[self._next][1]


def _tokens(text: str) -> list[tuple[str, int]]:
    """All tokens but blanks and comments, with the line on which each starts."""
    found: list[tuple[str, int]] = []
    line = 1
    for match in TOKEN.finditer(text):
        if match.lastgroup != "blank":
            found.append((match[0], line))
        line += match[0].count("\n")
    return found


def _unquoted(token: str) -> str:
    if token[0] not in "\"'":
        return token
    try:
        return str(tomllib.loads(f"key = {token}")["key"])
    except tomllib.TOMLDecodeError:
        return token[1:-1]
