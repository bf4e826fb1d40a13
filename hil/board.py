"""What a test asks of the board itself, over ssh: on the rig and on a physical bench alike."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

POLL_S = 0.3


@dataclass(frozen=True, slots=True)
class Board:
    """`shell` is labgrid's SSHDriver or another CommandProtocol."""

    shell: Any

    def run(self, command: str, limit_s: float = 60.0) -> str:
        """Stdout of a command of the board's shell. Raises AssertionError with all it said if it fails."""
        out, err, status = self.shell.run(command, timeout=limit_s)
        assert status == 0, f"{command}: exit {status}\n" + "\n".join([*out, *err])
        return "\n".join(out)

    def tells(self, command: str) -> bool:
        """Whether a command succeeds."""
        return bool(self.shell.run(command, timeout=60.0)[2] == 0)

    def python(self, code: str, limit_s: float = 60.0) -> str:
        return self.run(f"/usr/bin/python3 -c {shlex.quote(code)}", limit_s)

    def show(self, *properties: str, unit: str = "ductwatch.service") -> dict[str, str]:
        """Properties of a unit, as `systemctl show` has them."""
        lines = self.run(f"systemctl show -p {','.join(properties)} {unit}").splitlines()
        return dict(line.split("=", 1) for line in lines)

    @property
    def pid(self) -> int:
        return int(self.show("MainPID")["MainPID"])

    @property
    def started_s(self) -> float:
        """When the service was last up, from the kernel's start."""
        return int(self.show("ActiveEnterTimestampMonotonic")["ActiveEnterTimestampMonotonic"]) / 1e6

    @property
    def all_started_s(self) -> float:
        """How long this start took until systemd had nothing left to start, from the kernel's start."""
        said = self.run("systemctl show -p FinishTimestampMonotonic").partition("=")[2]
        return int(said) / 1e6

    @property
    def restarts(self) -> int:
        return int(self.show("NRestarts")["NRestarts"])

    def until(self, fits: Callable[[], bool], what: str, limit_s: float) -> None:
        """Ask again and again. Raises AssertionError that says what did not come."""
        until_s = time.monotonic() + limit_s
        while not fits():
            assert time.monotonic() < until_s, f"not within {limit_s:g} s: {what}"
            time.sleep(POLL_S)

    def journal(self, *, since: str = "", unit: str = "ductwatch.service") -> str:
        """Lines of this boot. `since` is a cursor from `cursor`."""
        after = f"--after-cursor={shlex.quote(since)}" if since else ""
        return self.run(f"journalctl -b -o cat --no-pager -u {unit} {after}")

    def cursor(self) -> str:
        last = self.run("journalctl -b -n 1 -o cat --show-cursor --no-pager").splitlines()[-1]
        return last.removeprefix("-- cursor: ")

    def uptime_s(self) -> float:
        return float(self.run("cat /proc/uptime").split()[0])
