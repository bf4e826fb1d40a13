"""A repository on a web server, by urllib3: no answer is longer, slower or further away than it may be."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from ota.errors import Unreachable
from ota.pace import Pace

MAX_REDIRECTS: Final = 3  # a mirror and its store need two
MAX_ERROR_PAGE_BYTES: Final = 4_000  # what comes with a 404 is read, so that the connection can be used again
NOT_THERE: Final = frozenset({403, 404})  # S3 says 403 of what is not there, unless listing is allowed
REMEDY: Final = "Check this board's network, and the repository's address; it tries again later"


class Web:
    """The repository at `base`, for one visit: `pace` began with it. Opened by `with`, which closes its connections.

    Plain http is refused unless `allow_http`: TUF proves each byte in any case, but who listens learns what runs here.
    `proxies` takes `https_proxy`, `no_proxy` and their like from the environment.
    """

    def __init__(
        self,
        base: str,
        *,
        pace: Pace,
        tls: ssl.SSLContext | None = None,
        allow_http: bool = False,
        proxies: bool = False,
    ) -> None:
        self._base = base if base.endswith("/") else f"{base}/"
        self._pace = pace
        self._tls = tls
        self._schemes = {"https", "http"} if allow_http else {"https"}
        self._proxies = proxies
        self._managers: dict[str | None, urllib3.PoolManager] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for manager in self._managers.values():
            manager.clear()

    def read(self, name: str, limit: int) -> bytes | None:
        url = self._base + name
        self._pace.begin_file()
        for _ in range(1 + MAX_REDIRECTS):
            try:
                status, location, content = self._get(self._permitted(url), limit)
                next_url = urljoin(url, location or "")
            except (HTTPError, OSError, http.client.HTTPException, ValueError) as error:
                self._pace.wait_s()  # says so itself if it is the visit that took too long
                raise Unreachable(f"{url}: no answer ({_cause(error)})", remedy=_remedy(error)) from error
            if status == http.HTTPStatus.OK:
                return content
            if status in NOT_THERE:
                return None
            if location is None:
                raise Unreachable(f"{url}: the server answered {status}", remedy=REMEDY)
            url = next_url
        raise Unreachable(f"{url}: more than {MAX_REDIRECTS} redirects", remedy=REMEDY)

    def _permitted(self, url: str) -> str:
        if urlsplit(url).scheme not in self._schemes:
            raise Unreachable(
                f"{url}: only {' and '.join(sorted(self._schemes))} may be used",
                remedy="Give the repository's https address, or allow http in the configuration",
            )
        return url

    def _get(self, url: str, limit: int) -> tuple[int, str | None, bytes]:
        """Status, where it redirects to, and content. Raises ValueError for an address that is none."""
        response = self._manager(url).request(
            "GET",
            url,
            preload_content=False,
            decode_content=False,  # nothing that unpacks to more than was sent
            redirect=False,
            retries=False,
            timeout=urllib3.Timeout(self._pace.wait_s()),
        )
        try:
            at_most = limit if response.status == http.HTTPStatus.OK else MAX_ERROR_PAGE_BYTES
            content = b""
            while len(content) <= at_most and (piece := response.read(at_most + 1 - len(content))):
                content += piece  # an end that comes too early is told by the read after it
        except BaseException:
            response.close()
            raise
        if len(content) > at_most:
            response.close()  # the rest is not read
        response.release_conn()
        return response.status, response.get_redirect_location() or None, content

    def _manager(self, url: str) -> urllib3.PoolManager:
        proxy = _environment_proxy(url) if self._proxies else None
        if proxy not in self._managers:
            options: dict[str, Any] = {
                "headers": {"User-Agent": "ductwatch"},
                "ssl_context": self._tls or ssl.create_default_context(),
            }
            manager = urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)
            manager.pool_classes_by_scheme = _paced_pools(self._pace)
            self._managers[proxy] = manager
        return self._managers[proxy]


def _environment_proxy(url: str) -> str | None:
    parts = urlsplit(url)
    proxies = getproxies()
    if proxy_bypass(parts.hostname or ""):
        return None
    return proxies.get(parts.scheme) or proxies.get("all")


def _cause(error: BaseException) -> str:
    return str(error.__cause__ or error.__context__ or error) or type(error).__name__


def _remedy(error: BaseException) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in f"{error} {error.__cause__} {error.__context__}":
        return "Check this board's clock by `date`, since certificates are valid for a time, and its CA certificates"
    return REMEDY


def _paced_pools(pace: Pace) -> dict[str, Any]:
    """Pools like urllib3's own, but each read from a socket keeps the pace: also of headers, which urllib3 does not."""

    class Response(http.client.HTTPResponse):
        def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
            super().__init__(_PacedSocket(sock, pace), *args, **options)  # type: ignore[arg-type]  # it asks for a file

    class Plain(HTTPConnection):
        response_class = Response

    class Tls(HTTPSConnection):
        response_class = Response

    class PlainPool(urllib3.HTTPConnectionPool):
        ConnectionCls = Plain

    class TlsPool(urllib3.HTTPSConnectionPool):
        ConnectionCls = Tls

    return {"http": PlainPool, "https": TlsPool}


class _PacedSocket:
    def __init__(self, sock: socket.socket, pace: Pace) -> None:
        self._sock, self._pace = sock, pace

    def makefile(self, _: str) -> io.BufferedReader:
        """Its raw file counts as one of the socket's, which so stays open for it."""
        return io.BufferedReader(_PacedFile(self._sock, self._sock.makefile("rb", buffering=0), self._pace))


class _PacedFile(io.RawIOBase):
    def __init__(self, sock: socket.socket, file: socket.SocketIO, pace: Pace) -> None:
        self._sock, self._file, self._pace = sock, file, pace

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(self._pace.wait_s())
        count = self._file.readinto(buffer) or 0
        self._pace.received(count)
        return count

    def close(self) -> None:
        self._file.close()
        super().close()
