"""The cheap HTTP client against a real server."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bench.http_client import HttpConnection, HttpConnectionError


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    connections: set[tuple[str, int]] = set()  # noqa: RUF012 - shared on purpose

    def do_GET(self) -> None:
        self.connections.add(self.client_address)
        if self.path == "/elsewhere":
            self._reply(302, b"", {"Location": "http://127.0.0.1/there"})
        elif self.path == "/cut":
            self.close_connection = True
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort")
        else:
            self._reply(200, self.path.encode() * 5000, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._reply(201, body + self.headers["X-Mark"].encode(), {})

    def _reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    _Handler.connections.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def connection(address: str) -> Iterator[HttpConnection]:
    connection = HttpConnection(address)
    yield connection
    connection.close()


class TestWire:
    def test_reads_a_body_that_comes_in_many_parts(self, connection: HttpConnection) -> None:
        answer = connection.get("/long-enough")
        assert (answer.status, answer.body) == (200, b"/long-enough" * 5000)

    def test_sends_a_body_with_headers(self, connection: HttpConnection) -> None:
        answer = connection.post("/pay", b"{}", "X-Mark: here\r\n")
        assert (answer.status, answer.body) == (201, b"{}here")

    def test_follows_no_redirect_and_says_where_it_leads(self, connection: HttpConnection) -> None:
        answer = connection.get("/elsewhere")
        assert (answer.status, answer.location) == (302, "http://127.0.0.1/there")

    def test_keeps_its_connection(self, connection: HttpConnection) -> None:
        for _ in range(5):
            connection.get("/again")
        assert len(_Handler.connections) == 1

    def test_says_that_an_answer_was_cut_off_and_connects_anew(
        self, connection: HttpConnection
    ) -> None:
        with pytest.raises(HttpConnectionError):
            connection.get("/cut")
        assert connection.get("/again").status == 200

    def test_says_that_nobody_listens(self) -> None:
        with pytest.raises(HttpConnectionError):
            HttpConnection("http://127.0.0.1:1").get("/")
