"""A server that sends the bytes it is told to, whatever they look like."""

import socket
import threading
from collections.abc import Callable
from typing import BinaryIO

# Of a request's head and body, the bytes of the whole answer; None closes without one.
Respond = Callable[[bytes, bytes], bytes | None]


class RawServer:
    """Reads whole requests and answers each; ``closes`` ends the connection after every answer."""

    def __init__(self, respond: Respond, *, closes: bool = False) -> None:
        self.heads: list[bytes] = []
        self._respond, self._closes = respond, closes
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        # Closing alone would leave the thread in its accept for ever.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as reader:
            while head := _head(reader):
                lengths = [
                    int(line.partition(b":")[2])
                    for line in head.lower().splitlines()
                    if line.startswith(b"content-length:")
                ]
                self.heads.append(head)
                answer = self._respond(head, reader.read(lengths[0] if lengths else 0))
                if answer is None:
                    return
                connection.sendall(answer)
                if self._closes:
                    return


def _head(reader: BinaryIO) -> bytes:
    """The lines of one request up to the empty one; nothing when the client has gone."""
    lines = []
    while (line := reader.readline()) not in {b"\r\n", b""}:
        lines.append(line)
    return b"".join(lines)
