"""The page's web server, for this machine alone: state and pictures out, settings in."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import aiomqtt

from drivers.camera.jpeg import encode_jpeg
from hil.play.controls import Unfit, described
from hil.play.playground import Playground
from hil.rig.pictures import SCENES
from hil.rig.uvc import VGA

PAGE = Path(__file__).with_name("page.html")
HOST = "127.0.0.1"
MOST_BODY_BYTES = 4096
JSON = "application/json"
POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; frame-ancestors 'none'"
)


@contextmanager
def serving(playground: Playground, port: int) -> Iterator[str]:
    """Serve for the length of the block; the page's address. Port 0 is a free one. Raises OSError where it is taken."""
    server = _Server((HOST, port), _handler(playground))
    thread = threading.Thread(target=server.serve_forever, name="page", daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A page that is closed while it is answered is none."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def picture(scene: str) -> bytes:
    """A JPEG of what a camera looks at, in the LED's light. Blocks for seconds when it is drawn first."""
    return encode_jpeg(SCENES[scene].lit(VGA))


def _handler(playground: Playground) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            match unquote(url.path).strip("/").split("/"):
                case _ if not self._is_ours():
                    self._refuse(HTTPStatus.FORBIDDEN, "this page is for this machine only")
                case [""]:
                    self._send(PAGE.read_bytes(), "text/html; charset=utf-8")
                case ["api", "controls"]:
                    self._send_json(described())
                case ["api", "state"]:
                    after = parse_qs(url.query).get("after", ["0"])[0]
                    self._send_json(playground.state(int(after) if after.isdecimal() else 0))
                case ["scene", file] if file.removesuffix(".jpg") in SCENES:
                    self._send(picture(file.removesuffix(".jpg")), "image/jpeg", "max-age=3600")
                case _:
                    self._refuse(HTTPStatus.NOT_FOUND, "there is no such page")

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not self._is_ours() or self.headers.get("Content-Type") != JSON:  # no form of another site's sends that
                self.close_connection = True
                return self._refuse(HTTPStatus.FORBIDDEN, f"send {JSON} from the page itself")
            if not length.isdecimal() or int(length) > MOST_BODY_BYTES:
                self.close_connection = True
                return self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {MOST_BODY_BYTES} bytes")
            try:
                wanted = json.loads(self.rfile.read(int(length)))
                _carry_out(playground, self.path.removeprefix("/api/"), wanted)
            except (ValueError, KeyError, TypeError) as error:
                return self._refuse(HTTPStatus.BAD_REQUEST, f"{error}")
            except (OSError, RuntimeError, aiomqtt.MqttError) as error:  # the broker is gone, QEMU did not start
                return self._refuse(HTTPStatus.CONFLICT, f"{error}" or "no answer")
            return self._send_json({"done": True})

        def _is_ours(self) -> bool:
            """No name that somebody else's server gave this address (DNS rebinding)."""
            return (self.headers.get("Host") or "").partition(":")[0] in (HOST, "localhost")

        def _send(self, content: bytes, kind: str, caching: str = "no-store") -> None:
            self._answer(HTTPStatus.OK, content, kind, caching)

        def _send_json(self, value: Any) -> None:
            self._send(json.dumps(value).encode(), JSON)

        def _refuse(self, status: HTTPStatus, why: str) -> None:
            self._answer(status, json.dumps({"error": why}).encode(), JSON, "no-store")

        def _answer(self, status: HTTPStatus, content: bytes, kind: str, caching: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", caching)
            self.send_header("Content-Security-Policy", POLICY)
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *words: Any) -> None:
            """Nobody reads it."""

    return Handler


def _carry_out(playground: Playground, action: str, wanted: Any) -> None:
    """Raises KeyError or TypeError for what is no request, `Unfit` for a value that does not fit."""
    match action, wanted:
        case "set", {"name": str(name), "value": value}:
            playground.set(name, value)
        case "press", {"name": str(name)}:
            playground.press(name)
        case "mend", {}:
            playground.mend()
        case _:
            raise Unfit("use set with name and value, press with name, or mend")
