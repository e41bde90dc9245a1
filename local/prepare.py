"""Brings the database to the state of the code: migrations and demo data."""

import hashlib
import sys
from pathlib import Path

from local import environment
from local.child import Child, Program
from local.errors import StartError
from local.servers import Servers
from local.stack import ROOT, Output

COMMANDS = (("migrate", "--no-input", "--verbosity=0"), ("seed_demo",))
# All that can change what these commands do.
CODE = ("accounts", "audit", "config", "durable", "notifications", "orders", "payments")
STAMP = "prepared.sha256"


def prepare(servers: Servers, settings: dict[str, str], *, output: Output) -> None:
    """Run the commands, unless this code has prepared this very database before.

    Both are safe to repeat; leaving them out saves two starts of Django. Raises StartError when
    one fails.
    """
    stamp = servers.home / STAMP
    wanted = _fingerprint(settings)
    # A database on another server may have been replaced since the last start.
    if servers.postgres is not None and stamp.exists() and stamp.read_text() == wanted:
        return
    for command in COMMANDS:
        _manage(command, servers, settings, output)
    stamp.write_text(wanted)


def _fingerprint(settings: dict[str, str]) -> str:
    digest = hashlib.sha256(settings["DEMO_PASSWORD"].encode())
    for path in (ROOT / "requirements.txt", *_code()):
        digest.update(str(path).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _code() -> list[Path]:
    return sorted(path for app in CODE for path in (ROOT / app).rglob("*.py"))


def _manage(
    command: tuple[str, ...], servers: Servers, settings: dict[str, str], output: Output
) -> None:
    name = command[0]
    program = Program(
        name=name,
        argv=(sys.executable, "manage.py", *command),
        env=environment.process_env(settings),
        cwd=ROOT,
        output=lambda line: output(name, line),
    )
    child = Child(program, servers.guard)
    try:
        status = child.wait()
    finally:
        child.stop()
    if status != 0:
        message = f"manage.py {name} failed:\n{child.last_lines()}"
        raise StartError(message)
