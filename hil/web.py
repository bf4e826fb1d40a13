"""A web server on the host that the board can reach, with Range as static hosts have it (RFC 9110, section 14)."""

from __future__ import annotations

import http.server
import re
import threading
from pathlib import Path
from typing import Any


class FileServer:
    """Serves a folder on a free port of an address; 127.0.0.1 is 10.0.2.2 to the guest."""

    def __init__(self, folder: Path, address: str = "127.0.0.1") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._server = http.server.ThreadingHTTPServer((address, 0), _handler(folder))
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, name="web", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(folder: Path) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = folder / self.path.lstrip("/")
            if not (path.is_file() and path.resolve().is_relative_to(folder.resolve())):
                self.send_error(404)
                return
            content = path.read_bytes()
            first, last, status = _span(self.headers.get("Range"), len(content))
            if status == 416:
                self.send_response(status)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(status)
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(last - first + 1))
            if status == 206:
                self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
            self.end_headers()
            self.wfile.write(content[first : last + 1])

        def log_message(self, *words: Any) -> None:
            """Nobody reads it."""

    return Handler


def _span(wanted: str | None, length: int) -> tuple[int, int, int]:
    """First and last byte to send, and the status: 200, 206, or 416 for a range that there is not."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted or "")
    if match is None or match[0] == "bytes=-":
        return 0, length - 1, 200
    if not match[1]:
        return max(length - int(match[2]), 0), length - 1, 206 if int(match[2]) else 416
    first, last = int(match[1]), min(int(match[2] or length), length - 1)
    return first, last, 206 if first <= last else 416
