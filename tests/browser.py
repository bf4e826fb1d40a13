"""A real Chromium for tests of pages: opened, clicked and asked, over its DevTools protocol on two pipes."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

LONG_S = 60.0  # no test waits for it, unless it fails
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
PROGRAM = next((path for name in NAMES if (path := shutil.which(name))), None)
NEED = "the tests of pages need Chromium: sudo apt-get install chromium-headless-shell"


class Browser:
    """One page. What it downloads comes into `folder`. What its scripts get wrong fails the test at the end."""

    def __init__(self, folder: Path) -> None:
        assert PROGRAM is not None, NEED
        self.folder = folder
        self._number = 0
        self._buffer = b""
        self._events: list[dict[str, Any]] = []
        command_read, self._write_fd = os.pipe()
        self._read_fd, answer_write = os.pipe()
        arguments = ["--headless", "--remote-debugging-pipe", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
        as_root = ["--no-sandbox"] if os.getuid() == 0 else []  # Chromium's own rule
        # its pipes are descriptors 3 and 4, whatever their numbers are here, which may be 3 and 4
        shell = f'exec {{a}}<&{command_read} {{b}}>&{answer_write}; exec "$@" 3<&$a 4>&$b'
        self._process = subprocess.Popen(
            ["bash", "-c", shell, "browser", PROGRAM, *arguments, *as_root],
            pass_fds=(command_read, answer_write),
            stderr=subprocess.DEVNULL,
        )
        os.close(command_read)
        os.close(answer_write)
        target = self._call("Target.createTarget", url="about:blank", session=None)["targetId"]
        self._session: str = self._call("Target.attachToTarget", targetId=target, flatten=True, session=None)[
            "sessionId"
        ]
        self._call(
            "Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder), eventsEnabled=True, session=None
        )
        self._call("Page.enable")
        self._call("Runtime.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait(LONG_S)
        os.close(self._write_fd)
        os.close(self._read_fd)
        wrong = [event["params"] for event in self._events if event["method"] == "Runtime.exceptionThrown"]
        assert kind is not None or not wrong, wrong

    def open(self, url: str) -> None:
        """Return when the page has loaded."""
        self._load("Page.navigate", url=url)

    def reload(self) -> None:
        """The same page anew. Its storage is at hand: another process may read it before what was written is there."""
        self._load("Page.reload")

    def _load(self, method: str, **parameters: Any) -> None:
        self._events = [event for event in self._events if event["method"] != "Page.loadEventFired"]
        self._call(method, **parameters)
        self.wait_for("Page.loadEventFired")

    def run(self, script: str) -> Any:
        """The value of an expression, or of what it promises, as JSON has it."""
        answer = self._call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def click(self, selector: str) -> None:
        """With the mouse, in the middle of the first such element."""
        place = self.run(
            f"(() => {{ const element = document.querySelector({json.dumps(selector)});"
            " element.scrollIntoView({block: 'center'}); const box = element.getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2] })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self._call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)

    def press(self, key: str) -> None:
        self._call("Input.dispatchKeyEvent", type="keyDown", key=key)
        self._call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def download(self) -> Path:
        """The next file that is complete."""
        while (event := self.wait_for("Browser.downloadProgress"))["state"] != "completed":
            assert event["state"] != "canceled", event
        return Path(event["filePath"])

    def wait_for(self, method: str) -> dict[str, Any]:
        """What comes with the next event of this kind."""
        while True:
            for event in self._events:
                if event["method"] == method:
                    self._events.remove(event)
                    found: dict[str, Any] = event["params"]
                    return found
            self._receive()

    def _call(self, method: str, *, session: str | None = "", **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = self._session
        os.write(self._write_fd, json.dumps(message).encode() + b"\0")
        while (answer := self._receive()).get("id") != self._number:
            pass
        assert "error" not in answer, answer["error"]
        result: dict[str, Any] = answer["result"]
        return result

    def _receive(self) -> dict[str, Any]:
        """The next message; events are noted, too."""
        while b"\0" not in self._buffer:
            readable, _, _ = select.select([self._read_fd], [], [], LONG_S)
            part = os.read(self._read_fd, 1 << 16) if readable else b""
            assert part, "the browser has ended, or does not answer"
            self._buffer += part
        line, self._buffer = self._buffer.split(b"\0", 1)
        message: dict[str, Any] = json.loads(line)
        if "method" in message:
            self._events.append(message)
        return message
