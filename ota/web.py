"""A repository on a web server: no answer is longer, slower or further away than it may be."""

from __future__ import annotations

import http.client
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import TracebackType
from typing import Final, Self
from urllib.parse import SplitResult, quote, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

from ota.errors import NotThere, Unreachable
from ota.pace import CLOCKS, METADATA, Pace, Visit
from ota.repository import Answer, Elsewhere, Watch
from ota.watched_http import Response, answered

MAX_REDIRECTS: Final = 3  # a mirror and its store need two
MAX_LOCATION: Final = 2_048  # characters of a redirect's address
MAX_ERROR_PAGE_BYTES: Final = 4_000  # what comes with a 404 is read, so that the connection can be used again
OK, PARTIAL, NOT_SATISFIABLE = 200, 206, 416
MOVED: Final = frozenset({301, 302, 303, 307, 308})
NOT_THERE: Final = frozenset({403, 404})  # S3 says 403 of what is not there, unless listing is allowed
CONTENT_RANGE: Final = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(?:(\d{1,18})|\*)")
HEADERS: Final = {"Accept-Encoding": "identity", "User-Agent": "ductwatch"}
REMEDY: Final = "Check this board's network, and the repository's address; it tries again later"
SET_UP: Final = "Set the address of the repository right"


class Web:
    """The repository at `address`, for one visit, which begins with it. Opened by `with`, which closes its connections.

    Plain http is refused unless `allow_http`: TUF proves each byte in any case, but who listens learns what runs here.
    `pace` is for small files. `authorities`: those of the system, if nothing else is given. `proxies` takes
    `https_proxy`, `no_proxy` and their like from the environment; such a proxy is asked by http.
    """

    metered = True

    def __init__(
        self,
        address: str,
        *,
        pace: Pace = METADATA,
        authorities: ssl.SSLContext | None = None,
        allow_http: bool = False,
        proxies: bool = False,
    ) -> None:
        """Raises `Unreachable` if the address is none."""
        self._address = address.rstrip("/") + "/"
        self._visit = Visit(pace, None, CLOCKS)
        self._authorities = authorities or ssl.create_default_context()
        self._allow_http = allow_http
        self._proxies = proxies
        self._connections: dict[tuple[str, str], http.client.HTTPConnection] = {}  # as many as redirects lead to
        self._require_allowed(self._address)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for connection in self._connections.values():
            connection.close()

    def read(self, name: str, limit: int) -> bytes | None:
        self._visit.listen()
        with self._found(name, 0, self._visit.watch) as (address, response):
            if response.status in NOT_THERE:
                return None
            answer = Answer(_first_byte(response, address, 0), partial(_read, response, address))
            content = b""
            while len(content) <= limit and (piece := self._visit.read(answer, limit + 1 - len(content))):
                content += piece
            return content

    @contextmanager
    def open(self, name: str, first: int, length: int, watch: Watch) -> Iterator[Answer]:
        """The names of targets have their hash in it: no ETag is needed to tell whether a file is still the same."""
        with self._found(quote(name), first, watch) as (address, response):
            begins = _first_byte(response, address, first, length)
            yield Answer(begins, partial(_read, response, address))

    @contextmanager
    def _found(self, name: str, first: int, watch: Watch) -> Iterator[tuple[str, Response]]:
        """The answer at the end of all redirects, and the address that gave it."""
        address = self._address + name
        for _ in range(1 + MAX_REDIRECTS):
            with self._asked(address, first, watch) as response:
                if response.status not in MOVED:
                    yield address, response
                    return
                location = response.headers.get("Location", "")[:MAX_LOCATION]
            with suppress(ValueError):  # then it is refused as it is
                location = urljoin(address, location)
            address = self._require_allowed(location)
        raise Unreachable(f"{address}: more than {MAX_REDIRECTS} redirects", remedy=REMEDY)

    @contextmanager
    def _asked(self, address: str, first: int, watch: Watch) -> Iterator[Response]:
        """Afterwards the connection stays open if the answer was read whole; what others say of a failure, is."""
        connection, target = self._connection(urlsplit(address))
        headers = HEADERS | ({"Range": f"bytes={first}-"} if first else {})
        is_whole = False
        try:
            try:
                response = answered(connection, target, headers, watch)
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise Unreachable(f"{address}: no answer ({_what(error)})", remedy=_remedy(error)) from error
            with response:
                yield response
                if response.status not in (OK, PARTIAL):
                    with suppress(OSError, http.client.HTTPException, ValueError):
                        response.read(MAX_ERROR_PAGE_BYTES)
                is_whole = response.isclosed()
        finally:
            if not is_whole:
                connection.close()

    def _connection(self, parts: SplitResult) -> tuple[http.client.HTTPConnection, str]:
        """The connection for an address, and what is asked for there."""
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        proxy = _environment_proxy(parts) if self._proxies else None
        if proxy is not None and parts.scheme == "http":
            path = f"{parts.scheme}://{parts.netloc}{path}"
        at = parts.scheme, parts.netloc
        if at not in self._connections:
            host, port = parts.hostname or "", parts.port
            first_host, first_port = (proxy.hostname or "", proxy.port or 80) if proxy else (host, port)
            if parts.scheme == "http":
                self._connections[at] = http.client.HTTPConnection(first_host, first_port)
            else:
                tls = http.client.HTTPSConnection(first_host, first_port, context=self._authorities)
                if proxy is not None:
                    tls.set_tunnel(host, port)
                self._connections[at] = tls
        return self._connections[at], path

    def _require_allowed(self, address: str) -> str:
        try:
            parts = urlsplit(address)
            usable = bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable or parts.scheme not in ("http", "https"):
            raise Unreachable(f"{address!r} is no address of a web server", remedy=SET_UP)
        if parts.scheme == "http" and not self._allow_http:
            raise Unreachable(f"{address} is not https", remedy=f"{SET_UP}, or allow http")
        return address


def _first_byte(response: Response, address: str, first: int, length: int | None = None) -> int:
    """Where the answer begins. One that cannot be the file is not read at all: a page to log in, a server's excuse."""
    headers = response.headers
    if headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Unreachable(f"{address}: sends it compressed, unasked", remedy=REMEDY)
    if response.status == OK:
        if length is not None and response.length not in (None, length):
            said = f"{address}: sends {response.length} bytes where {length} are expected"
            raise Unreachable(said, remedy="Look whether the network wants somebody to log in")
        return 0
    if first and length and response.status == PARTIAL:
        given = CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
        # a server may send less than all that follows: the rest is asked for the next time
        if given and int(given[1]) == first <= int(given[2]) < length and given[3] in (None, str(length)):
            return first
        raise Elsewhere
    if first and response.status == NOT_SATISFIABLE:
        raise Elsewhere
    kind = NotThere if response.status in NOT_THERE else Unreachable
    raise kind(f"{address}: the server answers {response.status} {response.reason[:80]}", remedy=REMEDY)


def _read(response: Response, address: str, most: int) -> bytes:
    try:
        piece = response.read1(most)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(f"{address}: {_what(error)}", remedy=REMEDY) from error
    if not piece and response.length:
        raise Unreachable(f"{address}: the answer ended early, {response.length} bytes are missing", remedy=REMEDY)
    return piece


def _environment_proxy(parts: SplitResult) -> SplitResult | None:
    found = getproxies()
    proxy = found.get(parts.scheme) or found.get("all")
    if proxy is None or proxy_bypass(parts.hostname or ""):
        return None
    return urlsplit(proxy if "://" in proxy else f"http://{proxy}")


def _remedy(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "Check this board's clock by `date`, since certificates are valid for a time, and its CA certificates"
    return REMEDY


def _what(error: Exception) -> str:
    return str(error) or type(error).__name__
