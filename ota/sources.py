"""Where a repository's files come from: a web server, or a folder such as a USB stick.

http.client, not urllib3, which python-tuf brings along: an answer is read as it comes, and each read of the socket, of
headers too, asks first whether it is worth while to go on. A server that sends a byte now and then keeps nobody.
"""

from __future__ import annotations

import http.client
import io
import os
import re
import socket
import ssl
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple, Protocol
from urllib.parse import quote, urljoin, urlsplit

from ota.errors import Unreachable, Untrusted
from ota.types import Target

CONNECT_S: Final = 15.0  # for each address of a name; the name itself takes as long as the system's resolver lets it
READ_S: Final = 30.0  # without a single byte
MOST_REDIRECTS: Final = 4
MOST_LOCATION: Final = 2_048  # characters of a redirect's address
OK, PARTIAL, NOT_SATISFIABLE = 200, 206, 416
MOVED: Final = frozenset({301, 302, 303, 307, 308})
REMEDY: Final = "Nothing is to be done here: it is tried again"
SET_UP: Final = "Set the address of the repository right"
CONTENT_RANGE: Final = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(?:(\d{1,18})|\*)")

Watch = Callable[[], None]
"""Called before each read: raises what ends the reading."""


class Elsewhere(Exception):
    """The source cannot go on from the byte that was asked for: ask from the first one on."""


class Answer(NamedTuple):
    """What a source sends, from byte `first` on: the one that was asked for, or 0.

    `read` takes the most bytes to return: at least one, or none at the end. It raises `Unreachable`.
    """

    first: int
    read: Callable[[int], bytes]


class Source(Protocol):
    """A repository, opened for one file at a time."""

    metered: bool  # whether limits of a link, in rate and bytes a day, apply

    def open(self, name: str, first: int, length: int, watch: Watch) -> AbstractContextManager[Answer]:
        """`name` as `targets/stable/...`; `length` is what the whole file must have.

        Raises `Unreachable`, `Elsewhere` and whatever `watch` raises.
        """


class WebSource:
    """A repository on a web server, by its https address; by http only where that is allowed.

    The names of targets have their hash in it, so that no ETag is needed to tell whether a file is still the same one.
    Proxies of the environment are not asked. `authorities`: those of the system, if nothing else is given.
    """

    metered = True

    def __init__(
        self,
        address: str,
        *,
        http_allowed: bool = False,
        authorities: ssl.SSLContext | None = None,
        connect_s: float = CONNECT_S,
        read_s: float = READ_S,
    ) -> None:
        """Raises `Unreachable` if the address is none."""
        self._address = address.rstrip("/") + "/"
        self._http_allowed = http_allowed
        self._authorities = authorities or ssl.create_default_context()
        self._connect_s, self._read_s = connect_s, read_s
        self._require_allowed(self._address)

    @contextmanager
    def open(self, name: str, first: int, length: int, watch: Watch) -> Iterator[Answer]:
        address = urljoin(self._address, quote(name))
        for _ in range(MOST_REDIRECTS + 1):
            with self._asked(address, first, watch) as response:
                if response.status not in MOVED:
                    begins = _first_byte(response, address, first, length)
                    yield Answer(begins, partial(_read, response, address))
                    return
                address = self._sent_on(address, response.headers.get("Location", "")[:MOST_LOCATION])
        raise Unreachable(f"{address}: sent on more than {MOST_REDIRECTS} times", remedy=REMEDY)

    @contextmanager
    def _asked(self, address: str, first: int, watch: Watch) -> Iterator[http.client.HTTPResponse]:
        watch()
        parts = urlsplit(address)
        headers = {"Accept-Encoding": "identity", "User-Agent": "ductwatch", "Connection": "close"}
        if first:
            headers["Range"] = f"bytes={first}-"
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        with closing(self._connection(parts.scheme, parts.hostname or "", parts.port)) as connection:
            try:
                connection.connect()
                connection.sock.settimeout(self._read_s)
                connection.sock = _Watched(connection.sock, watch)
                connection.request("GET", target, headers=headers)
                response = connection.getresponse()
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise Unreachable(f"{address}: {_what(error)}", remedy=_remedy(error)) from error
            with response:
                yield response

    def _connection(self, scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
        if scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=self._connect_s, context=self._authorities)
        return http.client.HTTPConnection(host, port, timeout=self._connect_s)

    def _sent_on(self, address: str, location: str) -> str:
        try:
            address = urljoin(address, location)
        except ValueError:
            address = location
        self._require_allowed(address)
        return address

    def _require_allowed(self, address: str) -> None:
        try:
            parts = urlsplit(address)
            usable = bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable or parts.scheme not in ("http", "https"):
            raise Unreachable(f"{address!r} is no address of a web server", remedy=SET_UP)
        if parts.scheme == "http" and not self._http_allowed:
            raise Unreachable(f"{address} is not https", remedy=f"{SET_UP}, or allow http")


class FolderSource:
    """A repository in a folder."""

    metered = False

    def __init__(self, root: Path) -> None:
        self._root = root

    @contextmanager
    def open(self, name: str, first: int, length: int, watch: Watch) -> Iterator[Answer]:
        path = self._root / name
        try:
            # a pipe would keep whoever opens it
            file = os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb")
        except OSError as error:
            raise Unreachable(f"{path}: {error.strerror}", remedy="Copy the repository again, whole") from error
        with file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size != length:
                raise Unreachable(f"{path}: is no file of {length} bytes", remedy="Copy the repository again, whole")
            file.seek(first)

            def read(most: int) -> bytes:
                watch()
                try:
                    return file.read(most)
                except OSError as error:
                    raise Unreachable(f"{path}: {error.strerror}", remedy="Try another USB stick or port") from error

            yield Answer(first, read)


class _Watched:
    """A socket for http.client that asks `watch` before each read."""

    def __init__(self, sock: socket.socket, watch: Watch) -> None:
        self._sock = sock
        self._watch = watch

    def sendall(self, data: bytes) -> None:
        self._sock.sendall(data)

    def makefile(self, _: str) -> io.BufferedReader:
        return io.BufferedReader(_WatchedReads(self._sock.makefile("rb", buffering=0), self._watch))

    def close(self) -> None:
        self._sock.close()  # really once its files are closed


class _WatchedReads(io.RawIOBase):
    def __init__(self, raw: socket.SocketIO, watch: Watch) -> None:
        self._raw = raw
        self._watch = watch

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int | None:  # type: ignore[override]
        self._watch()
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def stored_at(target: Target) -> str:
    """Where a repository with consistent snapshots has it. Raises `Untrusted` if it leads elsewhere."""
    parts = target.path.split("/")
    named = re.fullmatch("[0-9a-f]{64}", target.sha256) and not any(
        part in ("", ".", "..") or "\\" in part for part in parts
    )
    if not named or target.length < 1:
        said = f"the target {target.path!r} has no plain name, no SHA-256 or no length"
        raise Untrusted(said, remedy="Tell whoever publishes models")
    return "/".join(["targets", *parts[:-1], f"{target.sha256}.{parts[-1]}"])


def _first_byte(response: http.client.HTTPResponse, address: str, first: int, length: int) -> int:
    """Where the answer begins. One that cannot be the file is not read at all: a page to log in, a server's excuse."""
    headers = response.headers
    if headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Unreachable(f"{address}: sends it compressed, unasked", remedy=REMEDY)
    if response.status == OK:
        if response.length is not None and response.length != length:
            said = f"{address}: sends {response.length} bytes where {length} are expected"
            raise Unreachable(said, remedy="Look whether the network wants somebody to log in")
        return 0
    if first and response.status == PARTIAL:
        given = CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
        # a server may send less than all that follows: the rest is asked for the next time
        if given and int(given[1]) == first <= int(given[2]) < length and given[3] in (None, str(length)):
            return first
        raise Elsewhere
    if first and response.status == NOT_SATISFIABLE:
        raise Elsewhere
    raise Unreachable(f"{address}: answers {response.status} {response.reason[:80]}", remedy=REMEDY)


def _read(response: http.client.HTTPResponse, address: str, most: int) -> bytes:
    try:
        return response.read1(most)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(f"{address}: {_what(error)}", remedy=REMEDY) from error


def _remedy(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "Check this board's clock by `date`, since certificates are valid for a time, and its CA certificates"
    return REMEDY


def _what(error: Exception) -> str:
    return str(error) or type(error).__name__
