"""Runs a command with servers and settings of its own, which end with it.

    python -m local.throwaway pytest tests/orders
    python -m local.throwaway manage.py makemigrations --check

The servers write nothing through to the disk. Addresses in DATABASE_URL and REDIS_URL are used
instead of own servers. Ends with the command's exit status.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

from local import environment
from local.account import server_account
from local.errors import LocalStackError
from local.ports import free_port
from local.servers import Servers, start

SIGNAL_STATUS = 128


@contextmanager
def make_stack_settings(
    *, database_url: str = "", redis_url: str = ""
) -> Iterator[tuple[Servers, dict[str, str]]]:
    """Servers, and the settings of a stack around them, in a folder that is removed afterwards.

    An address that is given stands for a server of somebody else.
    """
    folder = Path(tempfile.mkdtemp(prefix="payments-"))
    if server_account() is not None:
        folder.chmod(0o711)
    try:
        with start(
            folder, durable=False, database_url=database_url, redis_url=redis_url
        ) as servers:
            addresses = environment.Addresses(
                database_url=servers.database_url,
                redis_url=servers.redis_url,
                port=free_port(),
                sandbox_port=free_port(),
            )
            # Keys in the caller's shell may be real ones: nothing of them is used.
            yield (
                servers,
                environment.build("test", data_dir=folder, addresses=addresses, given={}),
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(command: list[str]) -> int:
    """Run `command` (`pytest …`, `manage.py …`, or a program) and give its exit status."""
    given = {
        "database_url": os.environ.get("DATABASE_URL", ""),
        "redis_url": os.environ.get("REDIS_URL", ""),
    }
    with make_stack_settings(**given) as (servers, settings):
        process = subprocess.Popen(_resolved(command), env=environment.process_env(settings))
        servers.guard.watch(process.pid, signal.SIGTERM)
        try:
            status = process.wait()
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
            servers.guard.forget(process.pid)
    return status if status >= 0 else SIGNAL_STATUS - status


def _resolved(command: list[str]) -> list[str]:
    name, *arguments = command
    if name == "pytest":
        return [sys.executable, "-m", "pytest", *arguments]
    if name.endswith(".py"):
        return [sys.executable, name, *arguments]
    return command


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(SIGNAL_STATUS + number)


def main() -> int:
    """Run the command on the command line."""
    # Ctrl-C reaches the command too, which ends in its own way; we wait for it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    try:
        return run(sys.argv[1:])
    except LocalStackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
