from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext, create_default_context

import pytest

from ota.errors import Unreachable
from ota.web import MAX_REDIRECTS, Web
from tests.ota.board import Board
from tests.ota.repository import SimulatedRepository
from tests.ota.web_server import Request, WebServer, served, status, web_server

pytestmark = pytest.mark.real

NAME = "metadata/timestamp.json"
CONTENT = b'{"a": "timestamp"}'


def read(web: Web) -> bytes | None:
    return web.read(NAME, 100)


def opened(web: Web) -> bytes | None:
    with web.open(NAME, 0, len(CONTENT), lambda: 10.0) as answer:
        return answer.read(100)


both_ways = pytest.mark.parametrize("way", [read, opened])
Way = Callable[[Web], bytes | None]


@pytest.fixture
def server() -> Iterator[WebServer]:
    with web_server() as server:
        server.files[f"/{NAME}"] = CONTENT
        yield server


@pytest.fixture
def web(server: WebServer) -> Iterator[Web]:
    with Web(server.address, allow_http=True) as web:
        yield web


@both_ways
def test_a_file_is_read(web: Web, way: Way) -> None:
    assert way(web) == CONTENT


@pytest.mark.parametrize("number", [403, 404])
def test_a_small_file_that_is_not_there_is_none(web: Web, server: WebServer, number: int) -> None:
    server.behaviours = [status(number, b"no")]

    assert web.read(NAME, 100) is None


def test_of_a_longer_file_one_byte_more_than_the_limit_is_read(web: Web, server: WebServer) -> None:
    server.files[f"/{NAME}"] = b"x" * 100

    assert web.read(NAME, 10) == b"x" * 11


def test_a_poll_that_brings_nothing_new_is_two_requests_over_one_connection(tmp_path: Path) -> None:
    repository = SimulatedRepository(tmp_path / "repository")
    repository.offer(1)
    board = Board(tmp_path / "board", repository.first_root)
    board.ask(repository.folder)

    with web_server() as server, Web(server.address, allow_http=True) as web:
        server.folder = repository.folder
        board.ask(web)

    assert [path for path, _ in server.asked] == ["/metadata/2.root.json", "/metadata/timestamp.json"]
    assert len(server.clients) == 1
    assert repository.path("timestamp", 0).stat().st_size <= 500


def test_over_one_connection_come_small_files_large_ones_and_redirects(web: Web, server: WebServer) -> None:
    server.behaviours = [status(302, b"there", Location=f"/{NAME}")]

    for way in (read, opened, read, opened):
        assert way(web) == CONTENT

    assert len(server.asked) == 5
    assert len(server.clients) == 1


def rude(request: Request, content: bytes) -> None:
    """Hangs up afterwards, without a word."""
    request.answer(200, content)
    request.close_connection = True


@both_ways
def test_a_connection_that_the_server_left_is_made_anew(web: Web, server: WebServer, way: Way) -> None:
    server.behaviours = [rude, rude, rude]

    for _ in range(3):
        assert way(web) == CONTENT
    assert len(server.clients) == 3


def test_a_page_beside_an_error_is_not_read_for_ever(web: Web, server: WebServer) -> None:
    server.behaviours = [status(404, bytes(1_000_000))]

    assert web.read(NAME, 100) is None
    assert web.read(NAME, 100) == CONTENT
    assert len(server.clients) == 2


@both_ways
def test_a_redirect_is_followed(web: Web, server: WebServer, way: Way) -> None:
    server.files["/store/1?signature=a%2Fb"] = CONTENT
    server.behaviours = [status(302, Location="/store/1?signature=a%2Fb")]

    assert way(web) == CONTENT


@both_ways
def test_redirects_in_a_circle_are_given_up(web: Web, server: WebServer, way: Way) -> None:
    server.behaviours = [status(301, Location="timestamp.json")] * 100

    with pytest.raises(Unreachable, match=f"more than {MAX_REDIRECTS} redirects"):
        way(web)
    assert len(server.asked) == 1 + MAX_REDIRECTS


@both_ways
@pytest.mark.parametrize("location", ["ftp://localhost/x", "file:///etc/passwd", "http://[x/", "http://:80/x"])
def test_a_redirect_to_no_web_server_is_refused(web: Web, server: WebServer, way: Way, location: str) -> None:
    server.behaviours = [status(302, Location=location)]

    with pytest.raises(Unreachable, match="no address of a web server"):
        way(web)


@both_ways
@pytest.mark.parametrize("number", [400, 401, 410, 429, 500, 503])
def test_a_server_that_refuses_is_unreachable(web: Web, server: WebServer, way: Way, number: int) -> None:
    server.behaviours = [status(number)]

    with pytest.raises(Unreachable, match=f"answers {number}"):
        way(web)


@both_ways
def test_content_that_is_compressed_though_nobody_asked_is_refused(web: Web, server: WebServer, way: Way) -> None:
    server.behaviours = [status(200, CONTENT, Content_Encoding="gzip")]

    with pytest.raises(Unreachable, match="compressed"):
        way(web)


@both_ways
def test_a_server_that_answers_nonsense_is_unreachable(web: Web, server: WebServer, way: Way) -> None:
    def nonsense(request: Request, _: bytes) -> None:
        request.wfile.write(b"220 mail.example ESMTP\r\n")
        request.close_connection = True

    server.behaviours = [nonsense]

    with pytest.raises(Unreachable, match="220 mail"):
        way(web)


@both_ways
def test_nobody_there_is_unreachable(way: Way) -> None:
    with web_server() as server:
        address = server.address

    with Web(address, allow_http=True) as web, pytest.raises(Unreachable, match=r"localhost:\d+/.*(refused|Errno)"):
        way(web)


@both_ways
def test_a_name_that_nobody_knows_is_unreachable(way: Way) -> None:
    with Web(f"https://{'x' * 70}.no-such-host.invalid") as web, pytest.raises(Unreachable, match="no-such-host"):
        way(web)


def test_http_is_refused_unless_allowed() -> None:
    with pytest.raises(Unreachable, match="is not https"):
        Web("http://models.example")


@both_ways
def test_by_https_only_who_has_a_certificate_is_asked(tmp_path: Path, way: Way) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost"
    named = ("-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate)
    subprocess.run(["openssl", *words.split(), *named], check=True, capture_output=True)
    identity = SSLContext(PROTOCOL_TLS_SERVER)
    identity.load_cert_chain(certificate, key)
    known = create_default_context(cafile=str(certificate))

    with web_server(identity) as server, Web(server.address) as wary, Web(server.address, authorities=known) as web:
        server.files[f"/{NAME}"] = CONTENT
        server.behaviours = [status(302, Location="http://localhost/down")]

        with pytest.raises(Unreachable, match=r"CERTIFICATE_VERIFY_FAILED.*clock by `date`"):
            way(wary)
        with pytest.raises(Unreachable, match="http://localhost/down is not https"):
            way(web)
        assert way(web) == CONTENT
        assert way(web) == CONTENT

    assert len(server.clients) == 1  # who was wary never asked


@both_ways
def test_a_proxy_of_the_environment_is_asked_only_if_it_may_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: Way
) -> None:
    def proxy(request: Request, _: bytes) -> None:
        request.answer(200, CONTENT)

    with served(tmp_path, {f"http://repository.invalid/{NAME}": proxy}) as address:
        monkeypatch.setenv("http_proxy", address)
        monkeypatch.delenv("no_proxy", raising=False)
        with Web("http://repository.invalid", allow_http=True, proxies=True) as web:
            assert way(web) == CONTENT
        with Web("http://repository.invalid", allow_http=True) as web, pytest.raises(Unreachable):
            way(web)
        monkeypatch.setenv("no_proxy", "repository.invalid")
        with Web("http://repository.invalid", allow_http=True, proxies=True) as web, pytest.raises(Unreachable):
            way(web)


@both_ways
def test_https_goes_through_a_proxy_as_it_is(monkeypatch: pytest.MonkeyPatch, server: WebServer, way: Way) -> None:
    monkeypatch.setenv("https_proxy", server.address)
    monkeypatch.delenv("no_proxy", raising=False)

    with (
        Web("https://repository.invalid", proxies=True) as web,
        pytest.raises(Unreachable, match=r"Tunnel connection failed: 405 not for repository\.invalid:443"),
    ):
        way(web)
