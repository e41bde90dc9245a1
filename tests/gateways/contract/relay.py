"""A wire between an adapter and the sandbox that can give another answer than it was given."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

Twist = Callable[[bytes], bytes]
_DROPPED = frozenset(
    {"host", "content-length", "connection", "transfer-encoding", "server", "date"}
)
_LIMIT_S = 10.0


class Relay:
    """Passes every request on; ``twist`` has the last word about the body of each answer.

    Only ``path`` is meddled with, so that an adapter can still fetch a token or a certificate.
    """

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.twist: Twist = bytes
        self.bodies: list[bytes] = []
        self.secrets: set[str] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def always(self, answer: bytes) -> None:
        """Whatever is asked from now on is answered with ``answer``."""
        self.twist = lambda _: answer

    def forward(self, handler: BaseHTTPRequestHandler) -> None:
        """Ask the sandbox the same and answer with what the twist makes of its answer."""
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        kept = {n: v for n, v in handler.headers.items() if n.lower() not in _DROPPED}
        url, method = f"{self.upstream}{handler.path}", handler.command
        answer = requests.request(method, url, headers=kept, data=body, timeout=_LIMIT_S)
        is_token = handler.path.endswith("/oauth2/token")
        content = answer.content if is_token else self._twisted(answer)
        handler.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in _DROPPED | {"content-encoding"}:
                handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def _twisted(self, answer: requests.Response) -> bytes:
        self.bodies.append(answer.content)
        return self.twist(answer.content)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        relay = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                relay.forward(self)

            do_POST = do_GET  # noqa: N815 - the base's name

            def log_message(self, *_: Any) -> None:
                """Stay silent."""

        return Handler
