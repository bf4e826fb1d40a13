from __future__ import annotations

import ssl
from datetime import timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ota.errors import Unreachable
from ota.pace import Pace
from ota.web import MAX_REDIRECTS, Web
from tests.ota.board import Board
from tests.ota.repository import NOW, Answer, FileHandler, SimulatedRepository, served

pytestmark = pytest.mark.real


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    (folder / "metadata").mkdir(parents=True)
    (folder / "metadata" / "timestamp.json").write_bytes(b"{}")
    return folder


def test_a_file_is_read_and_one_that_is_not_there_is_none(folder: Path) -> None:
    with served(folder) as url, Web(url, pace=Pace(), allow_http=True) as web:
        assert web.read("metadata/timestamp.json", 100) == b"{}"
        assert web.read("metadata/2.root.json", 100) is None


def test_of_a_longer_file_one_byte_more_than_the_limit_is_read(folder: Path) -> None:
    (folder / "metadata" / "timestamp.json").write_bytes(b"x" * 100)

    with served(folder) as url, Web(url, pace=Pace(), allow_http=True) as web:
        assert web.read("metadata/timestamp.json", 10) == b"x" * 11


def test_a_poll_that_brings_nothing_new_is_two_requests_over_one_connection(tmp_path: Path) -> None:
    repository = SimulatedRepository(tmp_path / "repository")
    repository.offer(1)
    board = Board(tmp_path / "board", repository.first_root)
    board.ask(repository.folder)
    asked: list[tuple[object, str]] = []

    def note(handler: FileHandler) -> None:
        handler.close_connection = False
        asked.append((handler.client_address, handler.path))
        if "root" in handler.path:  # http.server's own 404 hangs up
            handler.send_response(404)
            handler.send_header("Content-Length", "9")
            handler.end_headers()
            handler.wfile.write(b"Not Found")
        else:
            handler.serve_file()

    answers: dict[str, Answer] = {f"/metadata/{name}.json": note for name in ("timestamp", "2.root", "2.snapshot")}
    with served(repository.folder, answers) as url, Web(url, pace=Pace(), allow_http=True) as web:
        board.ask(web)

    assert [path for _, path in asked] == ["/metadata/2.root.json", "/metadata/timestamp.json"]
    assert len({address for address, _ in asked}) == 1
    assert repository.path("timestamp", 0).stat().st_size <= 500


def sent_on(location: str, asked: list[str]) -> Answer:
    def answer(handler: FileHandler) -> None:
        asked.append(handler.path)
        handler.send_response(301)
        handler.send_header("Location", location)
        handler.send_header("Connection", "close")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def test_a_redirect_is_followed(folder: Path) -> None:
    answers = {"/old/metadata/timestamp.json": sent_on("/metadata/timestamp.json", [])}
    with served(folder, answers) as url, Web(f"{url}/old", pace=Pace(), allow_http=True) as web:
        assert web.read("metadata/timestamp.json", 100) == b"{}"


def test_redirects_in_a_circle_are_given_up(folder: Path) -> None:
    asked: list[str] = []
    answers = {"/metadata/timestamp.json": sent_on("timestamp.json", asked)}
    with (
        served(folder, answers) as url,
        Web(url, pace=Pace(), allow_http=True) as web,
        pytest.raises(Unreachable, match=f"more than {MAX_REDIRECTS} redirects"),
    ):
        web.read("metadata/timestamp.json", 100)
    assert len(asked) == 1 + MAX_REDIRECTS


def test_a_proxy_of_the_environment_is_asked_only_if_it_may_be(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(handler: FileHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "5")
        handler.end_headers()
        handler.wfile.write(b"proxy")

    address = "http://repository.invalid/metadata/timestamp.json"
    with served(folder, {address: answer}) as url:
        monkeypatch.setenv("http_proxy", url)
        monkeypatch.delenv("no_proxy", raising=False)
        with Web("http://repository.invalid", pace=Pace(), allow_http=True, proxies=True) as web:
            assert web.read("metadata/timestamp.json", 100) == b"proxy"
        with Web("http://repository.invalid", pace=Pace(), allow_http=True) as web, pytest.raises(Unreachable):
            web.read("metadata/timestamp.json", 100)


def certificate(folder: Path) -> Path:
    """Of 127.0.0.1, by itself, with its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "repository")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    private = serialization.PrivateFormat.PKCS8
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return pem


def test_https_is_read_from_a_server_whose_certificate_is_known(folder: Path, tmp_path: Path) -> None:
    pem = certificate(tmp_path)
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(pem)
    known = ssl.create_default_context(cafile=pem)

    with served(folder, tls=server_side) as url:
        assert url.startswith("https://")
        with Web(url, pace=Pace(), tls=known) as web:
            assert web.read("metadata/timestamp.json", 100) == b"{}"
        with Web(url, pace=Pace()) as web, pytest.raises(Unreachable, match="clock by `date`"):
            web.read("metadata/timestamp.json", 100)


def test_a_pace_is_kept_on_its_own_clock() -> None:
    now = [0.0]
    pace = Pace(deadline_s=100, gap_s=15, least_bytes_per_s=500, grace_s=10, clock=lambda: now[0])
    assert pace.wait_s() == 15

    now[0] = 10
    pace.received(1)  # grace
    now[0] = 12
    with pytest.raises(Unreachable, match="2 bytes in 12 s, less than 500 bytes/s"):
        pace.received(1)
    pace.begin_file()
    now[0] = 90
    assert pace.wait_s() == 10
    now[0] = 100
    with pytest.raises(Unreachable, match="more than 100 s"):
        pace.wait_s()
