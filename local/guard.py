"""Ends the children of a launcher that was killed before it could do so itself.

A process of its own that holds the read end of a pipe. The launcher reports each child it starts
and each it has reaped; when the pipe closes, the launcher is gone, however it went, and the guard
ends what is left, the youngest first. Unlike a parent-death signal this works on macOS, does not
care which thread started a child, and stops the servers after the programs that use them.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

GRACE_S = 5.0
POLL_S = 0.05


class Guard:
    """The launcher's end of the pipe."""

    def __init__(self, *, keep_open: tuple[int, ...] = ()) -> None:
        """`keep_open` are locks to be held until the last child is gone."""
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-E", str(Path(__file__).resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=keep_open,
            start_new_session=True,
        )

    def watch(self, pid: int, stop_signal: signal.Signals) -> None:
        """End `pid` with this signal, and its group by force, should this process vanish."""
        self._tell({"watch": pid, "signal": int(stop_signal)})

    def forget(self, pid: int) -> None:
        """Forget `pid`: it has been reaped, and its number may be used again."""
        self._tell({"forget": pid})

    def remove_afterwards(self, folder: Path) -> None:
        """Delete `folder`, which holds nothing that anybody wants back, once all have ended."""
        self._tell({"remove": str(folder)})

    def close(self) -> None:
        """Let the guard end, and with it every child that is still watched."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()

    def _tell(self, message: dict[str, int | str]) -> None:
        pipe = self._process.stdin
        if pipe is None or pipe.closed:
            return
        # One write of less than PIPE_BUF bytes is atomic, so threads need no lock. A guard that
        # was killed must not take the launcher with it.
        with contextlib.suppress(BrokenPipeError):
            os.write(pipe.fileno(), json.dumps(message).encode() + b"\n")


def has_ended(pid: int) -> bool:
    """Whether nothing of this process runs any more.

    One that waits to be reaped has ended: in a container the first process may never reap it.
    """
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except ProcessLookupError:
        return True
    except FileNotFoundError:
        # No such listing on this system, where the first process does reap.
        return False


def kill_group(pid: int) -> None:
    """End the whole group led by `pid` by force; an empty group is no error."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _end(pid: int, stop_signal: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, stop_signal)
    deadline = time.monotonic() + GRACE_S
    while not has_ended(pid) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    kill_group(pid)


def _main() -> None:
    # Ctrl-C and a polite stop are the launcher's business; only the end of the pipe is ours.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    watched: dict[int, int] = {}
    folders: list[str] = []
    for line in sys.stdin:
        match json.loads(line):
            case {"watch": pid, "signal": stop_signal}:
                watched[pid] = stop_signal
            case {"forget": pid}:
                watched.pop(pid, None)
            case {"remove": folder}:
                folders.append(folder)
    for pid, stop_signal in reversed(watched.items()):
        _end(pid, stop_signal)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    _main()
