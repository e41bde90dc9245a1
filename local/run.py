"""Runs the whole product on this machine, until Ctrl-C or SIGTERM; started by `bin/run`."""

import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn

from local import environment, ports
from local.account import passage, server_account
from local.errors import LocalStackError
from local.lock import hold
from local.prepare import prepare
from local.servers import Servers, start
from local.stack import ALL, ROOT, Stack
from local.terminal import Terminal
from local.watch import Watch

DEFAULT_PORT = 8000
DEFAULT_SANDBOX_PORT = 8100
DEMO_ACCOUNTS = "shopper other-shopper support finance manager auditor admin"
WATCH_EVERY_S = 0.2


def main() -> int:
    """Run until a signal; return 0 after a requested stop, 1 after an error."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    # Files that the processes write (mails, the sandbox's journal) are readable by the user alone.
    os.umask(0o077)
    terminal = Terminal()
    try:
        _run(terminal)
    except LocalStackError as error:
        terminal.say(f"error: {error}")
        return 1
    except _StopRequested:
        terminal.say("Stopped.")
    return 0


class _StopRequested(BaseException):
    """A signal asked us to end; passes through every handler of mere errors."""


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    # A second Ctrl-C must not interrupt the stop.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise _StopRequested


def _run(terminal: Terminal) -> NoReturn:
    began = time.monotonic()
    data_dir = (ROOT / (os.environ.get("DATA_DIR") or "var")).resolve()
    passage(data_dir, server_account())
    port = _port("PORT", DEFAULT_PORT)
    sandbox_port = _port("SANDBOX_PORT", DEFAULT_SANDBOX_PORT)
    # Under the lock, so that a second start reports the first one and not its taken ports.
    with hold(data_dir / "lock"):
        ports.demand(port, "PORT", DEFAULT_PORT + 1)
        ports.demand(sandbox_port, "SANDBOX_PORT", DEFAULT_SANDBOX_PORT + 1)
    with start(
        data_dir,
        durable=True,
        database_url=os.environ.get("DATABASE_URL", ""),
        redis_url=os.environ.get("REDIS_URL", ""),
    ) as servers:
        addresses = environment.Addresses(
            database_url=servers.database_url,
            redis_url=servers.redis_url,
            port=port,
            sandbox_port=sandbox_port,
        )
        settings = environment.build(
            "local", data_dir=data_dir, addresses=addresses, given=os.environ
        )
        _run_processes(terminal, servers, settings, began=began)


def _run_processes(
    terminal: Terminal, servers: Servers, settings: dict[str, str], *, began: float
) -> NoReturn:
    run_file = Path(settings["DATA_DIR"]) / environment.RUN_FILE
    stack = Stack(settings, servers.guard, output=terminal.line)
    try:
        environment.write(run_file, settings)
        stack.launch("sandbox")
        prepare(servers, settings, output=terminal.line)
        stack.launch("web", "worker", "beat")
        stack.wait_until_ready(*ALL)
        terminal.say(_welcome(settings, servers, seconds=time.monotonic() - began))
        watch = Watch(stack, servers, say=terminal.say)
        while True:
            watch.look()
            time.sleep(WATCH_EVERY_S)
    finally:
        stack.stop()
        # Its presence says that something runs.
        run_file.unlink(missing_ok=True)


def _port(setting: str, default: int) -> int:
    text = os.environ.get(setting) or str(default)
    if not text.isdigit() or not 0 < int(text) < 1 << 16:
        message = f"{setting} must be a port number, not {text!r}."
        raise LocalStackError(message)
    return int(text)


def _welcome(settings: dict[str, str], servers: Servers, *, seconds: float) -> str:
    return f"""
Ready after {seconds:.1f} s.
  Shop      {settings["BASE_URL"]}/
  Admin     {settings["BASE_URL"]}/admin/
  API       {settings["BASE_URL"]}/docs
  Sandbox   {settings["SANDBOX_URL"]}/
  Accounts  {DEMO_ACCOUNTS}
  Password  {settings["DEMO_PASSWORD"]}
  Data      {settings["DATA_DIR"]} (mails in mail/, settings for manage.py in run.env)
  Servers   {servers.home}
Ctrl-C stops everything.
"""


if __name__ == "__main__":
    sys.exit(main())
