"""A real HTTP server on this machine that answers as a test tells it, and breaks as told."""

import atexit
import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

_LINGER_NONE: Final = struct.pack("ii", 1, 0)
_DRIP_PAUSE_S: Final = 0.1
_DRIPS_MAX: Final = 40


@dataclass(frozen=True)
class Reply:
    """One answer. ``fault``: reset, cut, stall, drip, or none of them."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""
    stall_s: float = 0.0


@dataclass(frozen=True)
class Received:
    """One request as it came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: int


class LocalServer:
    """Answers with ``replies`` in turn, then with the last one again and again."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.replies: deque[Reply] = deque()
        self._server = _Server(("127.0.0.1", 0), self._handler_class())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def reply(self, *replies: Reply) -> None:
        self.replies = deque(replies)

    def reply_json(self, content: object, status: int = 200, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.reply(Reply(status, json.dumps(content).encode(), named))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def next_reply(self) -> Reply:
        return self.replies.popleft() if len(self.replies) > 1 else self.replies[0]

    def _handler_class(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(_Handler):
            owner = server

        return Handler


def refused_url() -> str:
    """An address on this machine where nobody listens, and nobody else can begin to."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    atexit.register(taken.close)
    return f"http://127.0.0.1:{taken.getsockname()[1]}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Broken connections are what these tests are about: nothing to print."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body are two writes, and the second must not wait for the first to be heard.
    disable_nagle_algorithm = True
    owner: LocalServer

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_GET  # noqa: N815 - the base's name

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        port = self.client_address[1]
        self.owner.received.append(Received(self.command, self.path, headers, body, port))
        reply = self.owner.next_reply()
        time.sleep(reply.stall_s)
        if reply.fault == "reset":
            self._reset()
            return
        try:
            self._write(reply)
        except (BrokenPipeError, ConnectionResetError):
            # The client has given up, which is what the test is about.
            self.close_connection = True

    def _write(self, reply: Reply) -> None:
        self.send_response(reply.status)
        missing = 10 if reply.fault in {"cut", "drip"} else 0
        self.send_header("Content-Length", str(len(reply.body) + missing))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)
        if reply.fault == "cut":
            self.close_connection = True
        if reply.fault == "drip":
            self._drip()

    def _drip(self) -> None:
        for _ in range(_DRIPS_MAX):
            time.sleep(_DRIP_PAUSE_S)
            self.wfile.write(b"x")

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
        self.close_connection = True
        self.connection.close()
        self.rfile.close()
