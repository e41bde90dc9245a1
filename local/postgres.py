"""A PostgreSQL of our own: one cluster, one database, one role that owns it."""

import shutil
import subprocess
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT

import psycopg2
from psycopg2.extensions import cursor

from local.account import Account, identity, private_file, private_folder
from local.binaries import major_version
from local.child import Program, minimal_env
from local.errors import StartError
from local.guard import Guard
from local.ports import LOOPBACK
from local.server import Server

DATABASE = ROLE = "payments"
SUPERUSER = "postgres"
CONNECT_LIMIT_S = 3
INITDB_LIMIT_S = 120.0
BUILTIN_LOCALES_SINCE = 17
# The same order and case rules on every machine, whatever its C library: code points for sorting,
# Unicode for upper and lower.
BUILTIN_LOCALE = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
LIBC_LOCALE = ("--locale=C.UTF-8",)
SETTINGS = {
    "listen_addresses": LOOPBACK,
    # Socket paths may not exceed some hundred bytes, which a deep folder does.
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
}
# For servers with throwaway data: writes are not flushed to the disk, which only a power cut would
# notice. Commits still wait for the operating system, for a kill must not lose them.
THROWAWAY_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
}


@dataclass(frozen=True, kw_only=True)
class Postgres:
    """Where one cluster lies and how to get in; `server` makes it run."""

    programs: Path
    home: Path
    account: Account | None
    password: str
    superuser_password: str
    durable: bool

    def server(self, guard: Guard) -> Server:
        """A server over this cluster, which is made first if it does not exist."""
        if not (self.home / "PG_VERSION").exists():
            self._initialise()
        return Server(program=self._program, answers=self._answers, guard=guard)

    def prepare(self, port: int) -> None:
        """Make the role and the database on a running server, unless they are there."""
        connection = psycopg2.connect(self._superuser_dsn(port))
        connection.autocommit = True
        with closing(connection), connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE])
            if cursor.fetchone() is None:
                self._create_role(cursor)
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")

    def url(self, port: int) -> str:
        """The address of the database for its owner, as DATABASE_URL spells it."""
        return f"postgres://{ROLE}:{self.password}@{LOOPBACK}:{port}/{DATABASE}"

    def _create_role(self, cursor: cursor) -> None:
        # It owns its tables and may make databases for tests; it is no superuser, so that what
        # only a superuser may do is noticed here and not in production.
        cursor.execute(f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD %s", [self.password])
        if not self.durable:
            # Tests empty append-only tables between them, past the triggers that refuse it.
            cursor.execute(f"GRANT SET ON PARAMETER session_replication_role TO {ROLE}")

    def _initialise(self) -> None:
        # Made beside its place and moved there when whole: an interrupted start leaves no half.
        unfinished = self.home.with_name("postgres.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        private_folder(unfinished, self.account)
        password_file = private_file(
            self.home.with_name("initdb.pw"), self.superuser_password, self.account
        )
        modern = major_version(self.programs / "initdb") >= BUILTIN_LOCALES_SINCE
        command = [
            str(self.programs / "initdb"),
            f"--pgdata={unfinished}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            *(BUILTIN_LOCALE if modern else LIBC_LOCALE),
            *(() if self.durable else ("--no-sync",)),
        ]
        done = self._run(command, cwd=unfinished)
        password_file.unlink()
        if done.returncode != 0:
            message = f"initdb failed:\n{done.stdout}"
            raise StartError(message)
        unfinished.rename(self.home)

    def _run(self, command: list[str], *, cwd: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            env=minimal_env(),
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=INITDB_LIMIT_S,
            **identity(self.account),
        )

    def _program(self, port: int) -> Program:
        settings = SETTINGS | ({} if self.durable else THROWAWAY_SETTINGS) | {"port": str(port)}
        options = [f"--{name}={value}" for name, value in settings.items()]
        return Program(
            name="postgres",
            argv=(str(self.programs / "postgres"), "-D", str(self.home), *options),
            env=minimal_env(),
            cwd=self.home,
            output=self.home.with_name("postgres.log"),
            # A fast stop: clients are cut off and roll back. A polite SIGTERM waits for them all.
            stop_signal=SIGINT,
            account=self.account,
        )

    def _answers(self, port: int) -> bool:
        try:
            psycopg2.connect(self._superuser_dsn(port)).close()
        except psycopg2.OperationalError:
            return False
        return True

    def _superuser_dsn(self, port: int) -> str:
        return (
            f"postgresql://{SUPERUSER}:{self.superuser_password}@{LOOPBACK}:{port}/postgres"
            f"?connect_timeout={CONNECT_LIMIT_S}"
        )
