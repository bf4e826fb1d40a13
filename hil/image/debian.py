"""Debian's packages as they are in an image, and as they are written down in packages.<architecture>.lock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

HEAD = """# The Debian packages of the {architecture} image. `make image ARGS="--lock"` writes this file.
# date = {date}
"""


class Unlocked(Exception):
    """The lock cannot be read; the message has the line."""


@dataclass(frozen=True, slots=True)
class Lock:
    """`date` is the archive's, and so the one of all files that the build makes."""

    date: datetime
    versions: Mapping[str, str]

    @property
    def epoch(self) -> int:
        return int(self.date.timestamp())


def parse_lock(text: str) -> Lock:
    """The lock in `text`. Raises `Unlocked`."""
    date, versions = None, {}
    for number, line in enumerate(text.splitlines(), 1):
        name, equals, value = (part.strip() for part in line.removeprefix("#").partition("="))
        try:
            if line.startswith("#"):
                date = datetime.fromisoformat(value) if name == "date" else date
            elif line.strip():
                if not (name and equals and value):
                    raise ValueError("no name=version")
                versions[name] = value
        except ValueError as error:
            raise Unlocked(f"line {number}: {error}") from error
    if date is None or date.tzinfo is None:
        raise Unlocked("no line `# date = ` with a date and its zone")
    return Lock(date, versions)


def render_lock(lock: Lock, architecture: str) -> str:
    head = HEAD.format(architecture=architecture, date=lock.date.astimezone(UTC).isoformat())
    return head + "".join(f"{name}={version}\n" for name, version in sorted(lock.versions.items()))


def differences(locked: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """A line for each package that is not as it was locked."""
    lines = []
    for name in sorted(locked.keys() | found.keys()):
        before, now = locked.get(name), found.get(name)
        if before == now:
            continue
        if before is None:
            lines.append(f"{name}: not locked, now {now}")
        else:
            lines.append(f"{name}: locked {before}, now {now or 'gone'}")
    return lines


def installed(status: str) -> list[dict[str, str]]:
    """Of dpkg's status file, the paragraphs of what is installed, each field in one line."""
    return [found for found in paragraphs(status) if found.get("Status") == "install ok installed"]


def versions(status: str) -> dict[str, str]:
    return {package["Package"]: package["Version"] for package in installed(status)}


def paragraphs(text: str) -> Iterator[dict[str, str]]:
    """deb822(5); of what goes on in further lines, the first."""
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if line and not line[0].isspace()]
        if lines:
            yield {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}
