"""A Valkey of our own: the broker and cache, with a password, on the loopback interface."""

import socket
from dataclasses import dataclass
from pathlib import Path

from local.account import Account, private_file, private_folder
from local.child import Program, minimal_env
from local.errors import StartError
from local.guard import Guard
from local.ports import LOOPBACK
from local.server import Server

ANSWER_LIMIT_S = 3.0
ANSWER_BYTES = 4_096


@dataclass(frozen=True, kw_only=True)
class Valkey:
    """Where one Valkey keeps its data and how to get in; `server` makes it run."""

    program: Path
    home: Path
    account: Account | None
    password: str
    durable: bool

    def server(self, guard: Guard) -> Server:
        """A server over this data, which starts empty if there is none."""
        private_folder(self.home, self.account)
        return Server(program=self._program, answers=self._answers, guard=guard)

    def url(self, port: int) -> str:
        """Its address, as REDIS_URL spells it; Celery and Django's cache read it alike."""
        return f"redis://:{self.password}@{LOOPBACK}:{port}/0"

    def flush(self, port: int) -> None:
        """Forget everything, as a cache that was lost would."""
        if self._ask(port, "FLUSHALL") != "+OK":
            message = "Valkey refused to be flushed."
            raise StartError(message)

    def _program(self, port: int) -> Program:
        # The password stands in a file, never on a command line that every user can list.
        config = private_file(self.home / "valkey.conf", self._config(port), self.account)
        return Program(
            name="valkey",
            argv=(str(self.program), str(config)),
            env=minimal_env(),
            cwd=self.home,
            output=self.home.with_name("valkey.log"),
            account=self.account,
        )

    def _config(self, port: int) -> str:
        settings = {
            "bind": LOOPBACK,
            "port": str(port),
            "requirepass": self.password,
            "daemonize": "no",
            # A broker that throws messages away when it is full would do so silently.
            "maxmemory-policy": "noeviction",
            "save": '""',
            "appendonly": "yes",
            "appendfsync": "everysec" if self.durable else "no",
        }
        return "".join(f"{name} {value}\n" for name, value in settings.items())

    def _answers(self, port: int) -> bool:
        try:
            return self._ask(port, "PING") == "+PONG"
        except OSError:
            return False

    def _ask(self, port: int, command: str) -> str:
        """One inline command, and the first line of its answer."""
        with socket.create_connection((LOOPBACK, port), timeout=ANSWER_LIMIT_S) as link:
            link.sendall(f"AUTH {self.password}\r\n{command}\r\nQUIT\r\n".encode())
            received = b""
            while chunk := link.recv(ANSWER_BYTES):
                received += chunk
        answers = received.decode().split("\r\n")
        return answers[1] if answers[0] == "+OK" else answers[0]
