"""How the board gets into the state that a test needs: without power, started, reached by ssh, watching the duct."""

from __future__ import annotations

import enum
import subprocess
import time
from contextlib import suppress

import attr
from labgrid import target_factory
from labgrid.protocol import PowerProtocol
from labgrid.strategy import Strategy, StrategyError

UP_LIMIT_S = 120.0  # 30 s on an idle host without KVM
COMMAND_LIMIT_S = 30.0  # of one that takes a second on a busy host
POLL_S = 0.5


class State(enum.Enum):
    unknown = 0
    off = 1
    on = 2  # power is there, the board starts
    booted = 3  # ssh answers
    watching = 4  # the firmware says that it runs


@target_factory.reg_driver
@attr.s(eq=False)
class BoardStrategy(Strategy):  # type: ignore[misc]
    """`transition` goes through the states between; `off` cuts the power."""

    bindings = {"power": PowerProtocol, "shell": "SSHDriver"}  # noqa: RUF012  # labgrid's form
    status: State = attr.ib(default=State.unknown)

    def transition(self, wanted: State | str) -> None:
        wanted = State[wanted] if isinstance(wanted, str) else wanted
        if wanted is self.status:
            return
        if wanted is State.off:
            self._leave_ssh()
            self.target.activate(self.power)
            self.power.off()
        elif wanted is State.on:
            self.transition(State.off)
            self.power.on()
        elif wanted is State.booted:
            if self.status is not State.watching:
                if self.status is not State.on:
                    self.transition(State.on)
                self._until_started()
                self._reach_ssh()
        elif wanted is State.watching:
            self.transition(State.booted)
            self._until_watching()
        else:
            raise StrategyError(f"nobody can bring a board to {wanted.name}")
        self.status = wanted

    def power_for(self, seconds: float) -> None:
        """Power for so long, then a cut, wherever the board is by then."""
        self.transition(State.on)
        time.sleep(seconds)
        self.transition(State.off)

    def restarted(self) -> None:
        """The board started anew by itself: whoever needs ssh connects again."""
        self._leave_ssh()
        if hasattr(self.power, "console"):
            self.power.console.clear()  # it has the prompt of the life before
        self.status = State.on

    def _reach_ssh(self) -> None:
        try:
            self.target.activate(self.shell)
        except Exception as error:  # what SSHDriver raises when its time is up is no more than that
            raise StrategyError(f"the board cannot be reached by ssh: {error}") from error

    def _leave_ssh(self) -> None:
        self.target.deactivate(self.shell)

    def _until_started(self) -> None:
        """Where the console is read, wait for its prompt, which comes last: asking for ssh meanwhile would delay it."""
        if hasattr(self.power, "until_console"):
            self.power.until_console(b"login:", UP_LIMIT_S)

    def _until_watching(self) -> None:
        until_s = time.monotonic() + UP_LIMIT_S
        said = ""
        while time.monotonic() < until_s:
            with suppress(subprocess.TimeoutExpired):
                out, _, _ = self.shell.run("systemctl is-active ductwatch.service", timeout=COMMAND_LIMIT_S)
                said = " ".join(out)
            if said == "active":
                return
            time.sleep(POLL_S)
        raise StrategyError(f"the firmware does not run after {UP_LIMIT_S:g} s: {said}")
