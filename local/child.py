"""One child process, in a group of its own so that all it starts can be ended with it."""

import os
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGTERM, Signals
from typing import IO

from local.account import Account, identity
from local.guard import Guard, kill_group

STOP_LIMIT_S = 8.0
LAST_LINES = 20
LOG_BYTES_MAX = 10_000_000
LAST_BYTES = 8_192
READER_LIMIT_S = 2.0

LineSink = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to run: all that stays the same from one start to the next."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(repr=False)
    cwd: Path
    output: Path | LineSink
    stop_signal: Signals = SIGTERM
    account: Account | None = None


class Child:
    """A running `Program`."""

    def __init__(self, program: Program, guard: Guard) -> None:
        """Start it; raises what `subprocess.Popen` raises when it cannot be executed."""
        self.program = program
        self._guard = guard
        self._lines: deque[str] = deque(maxlen=LAST_LINES)
        self._reader: threading.Thread | None = None
        if isinstance(program.output, Path):
            _make_room(program.output)
            with program.output.open("ab") as log:
                self._process = self._popen(log)
        else:
            self._process = self._popen(subprocess.PIPE)
            self._follow(program.output)
        guard.watch(self.pid, program.stop_signal)

    @property
    def pid(self) -> int:
        """The leader of the group."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether the leader still runs."""
        return self._process.poll() is None

    def returncode(self) -> int | None:
        """How the leader ended, as `subprocess` says it; None while it runs."""
        return self._process.poll()

    def wait(self) -> int:
        """Wait for the leader to end, however long it takes; gives its exit status."""
        return self._process.wait()

    def ask_to_stop(self) -> None:
        """Send the polite signal to the leader, who passes it on in his own way."""
        if self.is_alive():
            self._process.send_signal(self.program.stop_signal)

    def stop(self, *, limit_s: float = STOP_LIMIT_S) -> None:
        """Ask, wait up to `limit_s`, then take whatever is left of the group by force."""
        self.ask_to_stop()
        self.end(limit_s=limit_s)

    def end(self, *, limit_s: float) -> None:
        """Wait up to `limit_s` for a leader that was asked to stop, then use force."""
        try:
            self._process.wait(timeout=limit_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self.clear_away()

    def kill(self) -> None:
        """`kill -9` the whole group, as a crash or the out-of-memory killer would."""
        kill_group(self.pid)
        self.clear_away()

    def clear_away(self) -> None:
        """Reap a leader that has ended, and end what it left behind."""
        self._process.wait()
        kill_group(self.pid)
        self._guard.forget(self.pid)
        if self._reader is not None:
            self._reader.join(timeout=READER_LIMIT_S)

    def last_lines(self) -> str:
        """The end of what it printed, for a person to find the cause."""
        if isinstance(self.program.output, Path):
            tail = self.program.output.read_bytes()[-LAST_BYTES:].decode(errors="replace")
            return "\n".join(tail.splitlines()[-LAST_LINES:])
        return "\n".join(self._lines)

    def _popen(self, output: IO[bytes] | int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.program.argv,
            env=dict(self.program.env),
            cwd=self.program.cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **identity(self.program.account),
        )

    def _follow(self, sink: LineSink) -> None:
        stream = self._process.stdout
        assert stream is not None

        def read() -> None:
            with stream:
                for raw in stream:
                    line = raw.decode(errors="replace").rstrip()
                    self._lines.append(line)
                    sink(line)

        self._reader = threading.Thread(target=read, name=self.program.name, daemon=True)
        self._reader.start()


def _make_room(log: Path) -> None:
    """Set a log that has grown large aside, over the one that was set aside before it."""
    if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
        log.replace(log.with_suffix(".log.1"))


def wait_until(ready: Callable[[], bool], *, limit_s: float, poll_s: float = 0.05) -> bool:
    """Ask `ready` until it says yes; False when `limit_s` have passed without."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        if ready():
            return True
        time.sleep(poll_s)
    return False


def minimal_env() -> dict[str, str]:
    """What a server needs of our environment; none of our secrets."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
