"""One launcher for each data folder."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.errors import AlreadyRunningError

# How long the guard of a launcher that was killed may need to end what that one left.
CLEARING_LIMIT_S = 30.0
POLL_S = 0.1


@contextmanager
def hold(path: Path) -> Iterator[int]:
    """Hold the lock at `path` and give its descriptor, for children that must hold it too.

    The kernel frees it with its last holder, so no stale lock can be left. Waits while a launcher
    that has died is still being cleared away; raises AlreadyRunningError while one lives.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _acquire(descriptor, path)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path) -> None:
    deadline = time.monotonic() + CLEARING_LIMIT_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = path.read_text().strip()
            if _is_alive(holder) or time.monotonic() > deadline:
                message = f"Already running on {path.parent}, pid {holder or 'unknown'}."
                raise AlreadyRunningError(message) from None
            time.sleep(POLL_S)
        else:
            return


def _is_alive(pid: str) -> bool:
    if not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
