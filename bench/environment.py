"""The environment of the benchmark: new servers that write to the disk, and the product."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg2
from psycopg2.extensions import connection

from local import environment, ports, servers
from local.account import passage, server_account
from local.postgres import SUPERUSER
from local.prepare import prepare
from local.servers import Servers
from local.stack import ROOT, Stack

FOLDER: Final = ROOT / "var" / "bench"
BASELINE_DATABASE: Final = "floor"
# Differences from bin/run: no debugging, the sandbox approves every payment, and no rate limit
# for the one address that sends all requests.
SETTINGS: Final = {
    "DEBUG": "false",
    "LOG_LEVEL": "WARNING",
    "SANDBOX_DECISION": "approve",
    "ACCESS_TOKEN_MINUTES": "600",
    "RATE_WRITES": "1000000/min",
    "RATE_TOKEN": "1000/min",
}
_STATISTICS: Final = "pg_stat_statements"


@dataclass(frozen=True)
class Environment:
    """The servers, the stack (not started yet), and connections to them."""

    servers: Servers
    stack: Stack

    @property
    def settings(self) -> Mapping[str, str]:
        """The settings of the stack."""
        return self.stack.settings

    def connect(self, database: str = "") -> connection:
        """Connect with the product's role, in autocommit, by default to its database."""
        return _connect(_address(self.servers.database_url, database=database))

    def connect_as_superuser(self, database: str) -> connection:
        """Connect as the superuser, whose statements are not counted as the product's."""
        return _connect(_superuser_address(self.servers, database))

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a management command and give what it printed."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            env=environment.process_env(self.settings),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )


@contextmanager
def open_environment(folder: Path = FOLDER) -> Iterator[Environment]:
    """Fresh servers and a migrated database in ``folder``; all of it is gone afterwards.

    Raises LocalStackError when a server cannot be started.
    """
    os.umask(0o022)
    shutil.rmtree(folder / "logs", ignore_errors=True)
    passage(folder, server_account())
    with servers.start(folder, durable=True) as running:
        running.guard.remove_afterwards(folder)
        running.guard.remove_afterwards(running.home)
        count_statements(running)
        stack = Stack(_settings(folder, running), running.guard)
        try:
            prepare(running, dict(stack.settings), output=lambda _name, _line: None)
            yield Environment(running, stack)
        finally:
            stack.stop()


def count_statements(running: Servers) -> None:
    """Switch pg_stat_statements on, if this PostgreSQL has it."""
    with (
        closing(_connect(_superuser_address(running, SUPERUSER))) as superuser,
        superuser.cursor() as cursor,
    ):
        cursor.execute("SELECT 1 FROM pg_available_extensions WHERE name = %s", [_STATISTICS])
        if cursor.fetchone() is None:
            return
        cursor.execute(f"ALTER SYSTEM SET shared_preload_libraries = '{_STATISTICS}'")
    running.restart_postgres()
    with (
        closing(_connect(_superuser_address(running, SUPERUSER))) as superuser,
        superuser.cursor() as cursor,
    ):
        cursor.execute(f"CREATE EXTENSION IF NOT EXISTS {_STATISTICS}")


def copy_database_for_baseline(environment: Environment) -> None:
    """Copy the database with its history, for the SQL baseline to write into."""
    with closing(environment.connect("postgres")) as other, other.cursor() as cursor:
        name = urlsplit(environment.servers.database_url).path.lstrip("/")
        cursor.execute(f"CREATE DATABASE {BASELINE_DATABASE} TEMPLATE {name}")


def _settings(folder: Path, running: Servers) -> dict[str, str]:
    addresses = environment.Addresses(
        database_url=running.database_url,
        redis_url=running.redis_url,
        port=ports.free_port(),
        sandbox_port=ports.free_port(),
    )
    return environment.build("local", data_dir=folder, addresses=addresses, given=SETTINGS) | (
        SETTINGS
    )


def _superuser_address(running: Servers, database: str) -> str:
    password = (running.home / "superuser.pw").read_text().strip()
    return _address(running.database_url, database=database, login=(SUPERUSER, password))


def _address(url: str, *, database: str, login: tuple[str, str] | None = None) -> str:
    parts = urlsplit(url)
    path = f"/{database}" if database else parts.path
    user = f"{login[0]}:{quote(login[1])}@" if login else f"{parts.username}:{parts.password}@"
    netloc = f"{user}{parts.hostname}:{parts.port}"
    return urlunsplit(("postgresql", netloc, path, "", ""))


def _connect(address: str) -> connection:
    opened = psycopg2.connect(address)
    opened.autocommit = True
    return opened
