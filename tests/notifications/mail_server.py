"""A mail server on this machine: counts connections, and hangs up on one recipient."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

HANGS_UP_ON: Final = "broken@example.com"
_ANSWERS: Final = {b"EHLO": b"250 here", b"DATA": b"354 go on", b"QUIT": b"221 bye"}


class MailServer(socketserver.ThreadingTCPServer):
    """Listens on a free port of 127.0.0.1."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.connections = 0
        self.recipients: list[str] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Conversation(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as Django needs."""

    server: MailServer

    def handle(self) -> None:
        self.server.connections += 1
        self._say(b"220 here")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"RCPT":
                if HANGS_UP_ON.encode() in line:
                    return
                self.server.recipients.append(line.partition(b"<")[2].partition(b">")[0].decode())
            self._say(_ANSWERS.get(verb, b"250 fine"))
            if verb == b"DATA":
                self._read_mail()
            if verb == b"QUIT":
                return

    def _read_mail(self) -> None:
        while self.rfile.readline() not in {b".\r\n", b""}:
            pass
        self._say(b"250 taken")

    def _say(self, words: bytes) -> None:
        self.wfile.write(words + b"\r\n")


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """One that runs."""
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
