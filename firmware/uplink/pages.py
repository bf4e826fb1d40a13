"""Reads rows out of the pages of a damaged SQLite file, without its tree: what lies on a sound page is found. Pure.

Only what the outbox's file needs of the format: leaf pages of tables, blobs and integers, rows that overflow a page.
Sections of https://www.sqlite.org/fileformat2.html: 1.6 b-tree pages, 1.7 overflow pages, 2.1 record format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

PAGE_BYTES = 4096
FILE_HEADER_BYTES = 100  # at the start of the first page, 1.3
LEAF = 0x0D  # a page of a table's rows
LEAF_HEADER_BYTES = 8
MAX_ROW_BYTES = 1024 * 1024  # several times the largest message: a longer one is a damaged length
INTEGER_BYTES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}  # by serial type, 2.1
CONSTANTS = {8: 0, 9: 1}

# What a row keeps on its own page when it overflows (1.5, U = PAGE_BYTES): at most X, at least M bytes.
X = PAGE_BYTES - 35
M = (PAGE_BYTES - 12) * 32 // 255 - 23

Page = Callable[[int], bytes]
Value = bytes | int | None


def rows(page: Page, count: int) -> Iterator[tuple[int, list[Value]]]:
    """Key and columns of every row on pages 1 to `count`. `page` returns a page, or less where the file ends.

    Rows may be rubbish, where damage looks like a row: check them.
    """
    for number in range(1, count + 1):
        content = page(number)
        start = FILE_HEADER_BYTES if number == 1 else 0
        if len(content) != PAGE_BYTES or content[start] != LEAF:
            continue
        cells = int.from_bytes(content[start + 3 : start + 5])
        pointers = start + LEAF_HEADER_BYTES
        for at in range(pointers, min(pointers + 2 * cells, PAGE_BYTES - 1), 2):
            try:
                yield _row(page, content, int.from_bytes(content[at : at + 2]))
            except (IndexError, ValueError):
                continue  # this cell is damaged, or is none


def _row(page: Page, content: bytes, at: int) -> tuple[int, list[Value]]:
    length, at = _varint(content, at)
    key, at = _varint(content, at)
    return key, _columns(_payload(page, content, at, length))


def _payload(page: Page, content: bytes, at: int, length: int) -> bytes:
    if length > MAX_ROW_BYTES:
        raise ValueError("no row is that long")
    if length <= X:
        return _exactly(content[at : at + length], length)
    kept = M + (length - M) % (PAGE_BYTES - 4)
    kept = kept if kept <= X else M
    parts = [content[at : at + kept]]
    following, left = int.from_bytes(content[at + kept : at + kept + 4]), length - kept
    while left > 0 and following:
        overflow = page(following)
        parts.append(overflow[4 : 4 + left])
        following, left = int.from_bytes(overflow[:4]), left - (PAGE_BYTES - 4)
    return _exactly(b"".join(parts), length)


def _columns(record: bytes) -> list[Value]:
    header_bytes, at = _varint(record, 0)
    types: list[int] = []
    while at < header_bytes:
        kind, at = _varint(record, at)
        types.append(kind)
    values: list[Value] = []
    for kind in types:
        value, at = _value(record, at, kind)
        values.append(value)
    return values


def _value(record: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind == 0:
        return None, at
    if kind in CONSTANTS:
        return CONSTANTS[kind], at
    if kind in INTEGER_BYTES:
        end = at + INTEGER_BYTES[kind]
        return int.from_bytes(_exactly(record[at:end], end - at), signed=True), end
    if kind >= 12 and kind % 2 == 0:
        end = at + (kind - 12) // 2
        return _exactly(record[at:end], end - at), end
    raise ValueError("neither a blob nor an integer")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of 1 to 9 bytes, and where it ends: 7 bits a byte, most significant first, all 8 of a ninth."""
    value = 0
    for count in range(9):
        byte = data[at + count]
        if count == 8:
            return value << 8 | byte, at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + count + 1
    raise ValueError("not a number")


def _exactly(data: bytes, length: int) -> bytes:
    if len(data) != length:
        raise ValueError("the page or the file ends within the row")
    return data
