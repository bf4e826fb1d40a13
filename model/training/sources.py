"""What our code makes, told from what an older version of it made: by a digest of the sources that decide it, and by
the versions of the packages that do."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
OURS: Final = ("drivers", "model")


def digest_of(
    modules: Iterable[str],
    *,
    but_not: Collection[str] = (),
    root: Path = ROOT,
    packages: Collection[str] = OURS,
) -> str:
    """SHA-256 of these modules and of all that they import from `packages`. Comments and docstrings do not count.

    `but_not`: modules that are left out, with what only they import.
    """
    dumps: dict[str, str] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name not in dumps and name not in but_not:
            tree = ast.parse(_file(root, name).read_bytes())
            waiting += [one for one in _imported(tree) if one.split(".")[0] in packages and _file(root, one).is_file()]
            dumps[name] = ast.dump(_without_docstrings(tree))
    return hashlib.sha256("\n".join(f"{name} {dumps[name]}" for name in sorted(dumps)).encode()).hexdigest()


def versions(packages: Iterable[str]) -> Iterator[str]:
    """Of those that are installed."""
    for name in packages:
        with suppress(metadata.PackageNotFoundError):
            yield f"{name} {metadata.version(name)}"


def _file(root: Path, module: str) -> Path:
    path = root.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_name(f"{path.name}.py")


def _imported(tree: ast.Module) -> Iterator[str]:
    """Names that may be modules: of `from a import b`, both `a` and `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{one.name}" for one in node.names)


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [one for one in node.body if not _is_text(one)]
    return tree


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
