"""Starts the gateway's programs, waits until each one answers, and stops all of them again."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # Ctrl-C, kill, a closed terminal
# Even SIGKILL of the demo leaves nothing behind (util-linux; prctl(2), PR_SET_PDEATHSIG).
DIES_WITH_US = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
READY_WITHIN = 20  # seconds
STOP_WITHIN = 10  # seconds, then SIGKILL


class NotStarted(Exception):
    """A program ended early or never answered; says which, and what its log ends with."""

    def __init__(self, name: str, why: str, log: Path) -> None:
        super().__init__(f"{name} {why}")
        self.log = log


class Processes:
    """Use as a context manager: leaving it stops what was started, last first."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self._running: list[subprocess.Popen] = []

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *_: object) -> None:
        for impatient in STOP_SIGNALS:
            signal.signal(impatient, signal.SIG_IGN)  # a second Ctrl-C must not leave half of it running
        for process in reversed(self._running):
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_WITHIN
        for process in reversed(self._running):
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start(self, name: str, command: list, env: dict[str, str] | None = None) -> "Started":
        """A session of its own keeps Ctrl-C for us, who stop things in order."""
        log = self.logs / f"{name}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [*DIES_WITH_US, *(str(word) for word in command)],
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running.append(process)
        return Started(name, process, log)


class Started:
    """One running program."""

    def __init__(self, name: str, process: subprocess.Popen, log: Path) -> None:
        self.name, self.log = name, log
        self._process = process

    def address(self) -> str:
        """`host:port` as the program's own log names it: `listening addr=127.0.0.1:1234`."""
        return self._wait(lambda: re.search(r"listening.*\baddr=([\d.]+:\d+)", self._text()), "did not say its address")[1]

    def until(self, ready: Callable[[], bool], why: str) -> None:
        """Waits for `ready`; `why` completes the sentence that says it never came."""
        self._wait(ready, why)

    def _text(self) -> str:
        return re.sub(r"\x1b\[[\d;]*m", "", self.log.read_text(errors="replace"))

    def _wait(self, ready, why: str):
        deadline = time.monotonic() + READY_WITHIN
        while not (found := ready()):
            if self._process.poll() is not None:
                raise NotStarted(self.name, f"ended at once with status {self._process.returncode}", self.log)
            if time.monotonic() > deadline:
                raise NotStarted(self.name, f"{why} within {READY_WITHIN} s", self.log)
            time.sleep(0.02)
        return found


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def choose_port(variable: str, usual: int) -> int:
    """What the environment says, else the usual port, else any free one."""
    if asked := os.environ.get(variable):
        return int(asked)
    if port_is_free(usual):
        return usual
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
