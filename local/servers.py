"""PostgreSQL and Valkey for one data folder: found, made, started, and stopped last.

    with start(folder, durable=False) as servers:
        os.environ["DATABASE_URL"] = servers.database_url
        servers.kill_postgres()
        servers.restart_postgres()

Whatever the caller does, be it `kill -9`, neither server outlives it by more than seconds.
"""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.account import Account, passage, private_file, server_account
from local.binaries import find_postgres, find_valkey
from local.errors import NotOursError
from local.guard import Guard
from local.lock import hold
from local.postgres import Postgres
from local.server import Server
from local.valkey import Valkey

# Where root keeps the data of a folder that the servers' account may not enter.
SYSTEM_STATE = Path("/var/lib/payments-local")


@dataclass(kw_only=True)
class Servers:
    """The two servers of a data folder, or the addresses of those that were handed to us.

    `home` is the folder of the servers' own data and of what is remembered about it.
    """

    database_url: str
    redis_url: str
    home: Path
    guard: Guard
    postgres: Server | None = None
    redis: Server | None = None
    valkey: Valkey | None = None

    def running(self) -> list[Server]:
        """Those that are ours, in the order in which they were started."""
        return [server for server in (self.postgres, self.redis) if server is not None]

    def start_postgres(self) -> None:
        """Start it again on the same port and data."""
        _ours(self.postgres, "DATABASE_URL").start()

    def stop_postgres(self) -> None:
        """Stop it in order; its clients are cut off."""
        _ours(self.postgres, "DATABASE_URL").stop()

    def kill_postgres(self) -> None:
        """`kill -9` and leave it down."""
        _ours(self.postgres, "DATABASE_URL").kill()

    def restart_postgres(self) -> None:
        """Stop and start; also brings back one that was killed."""
        _ours(self.postgres, "DATABASE_URL").restart()

    def start_redis(self) -> None:
        """Start it again on the same port and data."""
        _ours(self.redis, "REDIS_URL").start()

    def stop_redis(self) -> None:
        """Stop it in order."""
        _ours(self.redis, "REDIS_URL").stop()

    def kill_redis(self) -> None:
        """`kill -9` and leave it down."""
        _ours(self.redis, "REDIS_URL").kill()

    def restart_redis(self) -> None:
        """Stop and start; also brings back one that was killed."""
        _ours(self.redis, "REDIS_URL").restart()

    def flush_redis(self) -> None:
        """Throw every message and every cached value away."""
        server = _ours(self.redis, "REDIS_URL")
        if self.valkey is not None:
            self.valkey.flush(server.port)


@contextmanager
def start(
    data_dir: Path,
    *,
    durable: bool,
    database_url: str = "",
    redis_url: str = "",
) -> Iterator[Servers]:
    """Run the servers for `data_dir` until the block ends.

    `durable` keeps the data for the next start and writes it through to the disk; otherwise
    nothing is synchronised and the data is removed at the end. An address that is given stands
    for a server of somebody else: none of that kind is started.
    Raises AlreadyRunningError, ProgramMissingError or StartError.
    """
    data_dir = data_dir.resolve()
    passage(data_dir, server_account())
    with hold(data_dir / "lock") as lock:
        guard = Guard(keep_open=(lock,))
        # Only servers of our own need a folder that their account may enter.
        account = None if database_url and redis_url else server_account()
        home = _home(data_dir, account)
        servers = Servers(database_url=database_url, redis_url=redis_url, home=home, guard=guard)
        if not durable:
            guard.remove_afterwards(home)
        try:
            _start_missing(servers, durable=durable)
            yield servers
        finally:
            for server in reversed(servers.running()):
                server.stop()
            guard.close()


def _start_missing(servers: Servers, *, durable: bool) -> None:
    home = servers.home
    account = server_account()
    copies = home / "programs"
    if not servers.database_url:
        postgres = Postgres(
            programs=find_postgres(account=account, copies=copies),
            home=home / "postgres",
            account=account,
            password=_password(home / "database.pw"),
            superuser_password=_password(home / "superuser.pw"),
            durable=durable,
        )
        servers.postgres = postgres.server(servers.guard)
        servers.postgres.start()
        postgres.prepare(servers.postgres.port)
        servers.database_url = postgres.url(servers.postgres.port)
    if not servers.redis_url:
        servers.valkey = Valkey(
            program=find_valkey(account=account, copies=copies),
            home=home / "valkey",
            account=account,
            password=_password(home / "valkey.pw"),
            durable=durable,
        )
        servers.redis = servers.valkey.server(servers.guard)
        servers.redis.start()
        servers.redis_url = servers.valkey.url(servers.redis.port)


def _home(data_dir: Path, account: Account | None) -> Path:
    """The servers' part of the data folder, or its stand-in where their account can go."""
    if account is None or account.can_enter(data_dir):
        return passage(data_dir / "servers", account)
    name = hashlib.sha256(str(data_dir).encode()).hexdigest()[:16]
    return passage(passage(SYSTEM_STATE, account) / name, account)


def _password(path: Path) -> str:
    if not path.exists():
        private_file(path, secrets.token_hex(24), None)
    return path.read_text()


def _ours(server: Server | None, setting: str) -> Server:
    if server is None:
        message = f"That server was given by {setting}; only its owner can stop it."
        raise NotOursError(message)
    return server
