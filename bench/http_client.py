"""HTTP over one kept-alive socket, as little of it as the load needs.

The client shares two processors with what it measures, so it must cost next to nothing: one
write, one read, and no more parsing than the status, the length and where to go.
"""

import socket
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

TIMEOUT_S: Final = 30.0
HEAD_BYTES_MAX: Final = 64 * 1024
_CHUNK: Final = 64 * 1024


class HttpConnectionError(Exception):
    """The connection broke, or the response is not valid HTTP."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body; ``location`` is the target of a redirect."""

    status: int
    location: str
    body: bytes


class HttpConnection:
    """One connection to one server. Not for more than one thread."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self._address = (parts.hostname or "", parts.port or 80)
        self._host = parts.netloc
        self._socket: socket.socket | None = None
        self._left = b""

    def get(self, path: str, headers: str = "") -> Answer:
        """GET ``path``; ``headers`` are lines that end in CRLF."""
        return self._exchange(
            f"GET {path} HTTP/1.1\r\nHost: {self._host}\r\n{headers}\r\n".encode()
        )

    def post(self, path: str, body: bytes, headers: str) -> Answer:
        """POST ``body`` as JSON."""
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n{headers}\r\n"
        )
        return self._exchange(head.encode() + body)

    def close(self) -> None:
        """Close the connection; the next request opens a new one."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._left = None, b""

    def _exchange(self, request: bytes) -> Answer:
        try:
            if self._socket is None:
                self._socket = socket.create_connection(self._address, timeout=TIMEOUT_S)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.sendall(request)
            return self._read(self._socket)
        except (OSError, ValueError) as error:
            self.close()
            raise HttpConnectionError(f"{type(error).__name__}: {error}") from error

    def _read(self, connection: socket.socket) -> Answer:
        while (end := self._left.find(b"\r\n\r\n")) < 0:
            if len(self._left) > HEAD_BYTES_MAX:
                raise ValueError("the head of the answer is too long")
            self._receive(connection)
        head, rest = self._left[:end], self._left[end + 4 :]
        fields = _fields(head)
        length = int(fields.get("content-length", "0"))
        self._left = rest
        while len(self._left) < length:
            self._receive(connection)
        body, self._left = self._left[:length], self._left[length:]
        if fields.get("connection", "").lower() == "close":
            self.close()
        return Answer(int(head.split(b" ", 2)[1]), fields.get("location", ""), body)

    def _receive(self, connection: socket.socket) -> None:
        received = connection.recv(_CHUNK)
        if not received:
            raise ValueError("the server hung up")
        self._left += received


def _fields(head: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])
    return {name.lower(): value.strip() for name, _, value in lines}
