"""The HTTP client against real sockets: what it may claim to know, and when."""

import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateways.exchange import read_transport_error, record_exchange
from gateways.foreign_json import read_json_object
from gateways.http import ANSWER_BYTES_MAX, HttpAnswer, HttpClient, NoAnswer, NotSent
from gateways.options import require_base_url
from gateways.outcome import OutcomeKind
from tests.gateways.local_server import LocalServer, Reply, refused_url

READ_TIMEOUT_S = 0.4


@pytest.fixture
def client() -> Iterator[HttpClient]:
    made = HttpClient(connect_timeout_s=0.5, read_timeout_s=READ_TIMEOUT_S)
    yield made
    made.close()


class TestAnswers:
    def test_give_status_lower_case_headers_and_body(
        self, client: HttpClient, server: LocalServer
    ) -> None:
        server.reply(Reply(418, b'{"a": 1}', {"X-Thing": "yes"}))
        answer = client.post_json(server.url + "/x", {"b": 2})
        assert (answer.status, answer.headers["x-thing"]) == (418, "yes")
        assert answer.json() == {"a": 1}
        assert server.received[0].body == b'{"b":2}'

    def test_come_over_one_connection_that_is_kept(
        self, client: HttpClient, server: LocalServer
    ) -> None:
        server.reply(Reply())
        for _ in range(3):
            client.post_json(server.url, {})
        assert len({request.connection for request in server.received}) == 1

    def test_are_not_taken_from_a_connection_of_the_parent_process(
        self, client: HttpClient, server: LocalServer
    ) -> None:
        server.reply(Reply())
        client.post_json(server.url, {})
        client._owner_pid -= 1
        client.post_json(server.url, {})
        assert len({request.connection for request in server.received}) == 2

    def test_never_follow_a_redirect(self, client: HttpClient, server: LocalServer) -> None:
        server.reply(Reply(302, b"", {"Location": server.url + "/elsewhere"}))
        assert client.post_json(server.url, {}).status == 302
        assert len(server.received) == 1

    def test_always_name_a_user_agent(self, client: HttpClient, server: LocalServer) -> None:
        """VNPAY answers 403 with HTML to a request without one."""
        server.reply(Reply())
        client.post_json(server.url, {})
        assert server.received[0].headers["user-agent"]

    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            ("7", 7),
            ("999999", 3600),
            ("-1", None),
            ("soon", None),
            ("Wed, 21 Oct 2026 07:28:09 GMT", 9),
            ("Wed, 21 Oct 2026 07:27:00 GMT", 0),
            ("Thu, 22 Oct 2026 07:28:00 GMT", 3600),
        ],
    )
    def test_read_retry_after_in_both_of_its_forms(self, value: str, seconds: int | None) -> None:
        headers = {"retry-after": value, "date": "Wed, 21 Oct 2026 07:28:00 GMT"}
        assert HttpAnswer(429, headers, b"", 1).retry_after_s == seconds

    def test_read_no_retry_after_whose_now_is_not_told(self) -> None:
        headers = {"retry-after": "Wed, 21 Oct 2026 07:28:09 GMT"}
        assert HttpAnswer(429, headers, b"", 1).retry_after_s is None


class TestNotSent:
    def test_is_a_refused_connection(self, client: HttpClient) -> None:
        with pytest.raises(NotSent):
            client.post_json(refused_url(), {})

    def test_is_an_unknown_host(self, client: HttpClient) -> None:
        with pytest.raises(NotSent):
            client.post_json("http://nowhere.invalid/", {})

    def test_is_a_server_without_tls(self, client: HttpClient, server: LocalServer) -> None:
        with pytest.raises(NotSent):
            client.post_json(server.url.replace("http:", "https:"), {})
        assert server.received == []

    def test_is_a_certificate_that_nobody_vouches_for(
        self, client: HttpClient, server: LocalServer, tmp_path: Path
    ) -> None:
        _speak_tls(server, _self_signed(tmp_path))
        with pytest.raises(NotSent):
            client.post_json(server.url.replace("http:", "https:"), {})
        assert server.received == []

    def test_is_not_a_certificate_that_we_trust(self, server: LocalServer, tmp_path: Path) -> None:
        pem = _self_signed(tmp_path)
        _speak_tls(server, pem)
        server.reply(Reply())
        client = HttpClient(connect_timeout_s=1, read_timeout_s=1, ca_file=str(pem))
        assert client.post_json(server.url.replace("http:", "https:"), {}).status == 200
        client.close()

    def test_means_certainly_not_done(self) -> None:
        outcome = read_transport_error(NotSent("refused"), {"a": "b"})
        assert outcome.kind is OutcomeKind.NOT_DONE


class TestNoAnswer:
    @pytest.mark.parametrize(
        "reply",
        [
            pytest.param(Reply(stall_s=2 * READ_TIMEOUT_S), id="timeout"),
            pytest.param(Reply(fault="reset"), id="reset"),
            pytest.param(Reply(fault="cut"), id="cut body"),
            pytest.param(Reply(body=b"x" * (ANSWER_BYTES_MAX + 1)), id="too large"),
        ],
    )
    def test_is_every_end_after_the_request_left(
        self, client: HttpClient, server: LocalServer, reply: Reply
    ) -> None:
        server.reply(reply)
        with pytest.raises(NoAnswer):
            client.post_json(server.url, {})
        assert len(server.received) == 1

    def test_is_a_reset_of_a_kept_connection(self, client: HttpClient, server: LocalServer) -> None:
        server.reply(Reply(), Reply(fault="reset"))
        client.post_json(server.url, {})
        with pytest.raises(NoAnswer):
            client.post_json(server.url, {})
        assert len(server.received) == 2

    def test_comes_in_time_when_the_body_drips(
        self, client: HttpClient, server: LocalServer
    ) -> None:
        server.reply(Reply(fault="drip"))
        started = time.monotonic()
        with pytest.raises(NoAnswer):
            client.post_json(server.url, {})
        assert time.monotonic() - started < 3 * READ_TIMEOUT_S

    def test_leaves_a_client_that_still_works(
        self, client: HttpClient, server: LocalServer
    ) -> None:
        server.reply(Reply(fault="cut"), Reply(body=b'{"whole": true}'))
        with pytest.raises(NoAnswer):
            client.post_json(server.url, {})
        assert client.post_json(server.url, {}).json() == {"whole": True}

    def test_means_unknown(self) -> None:
        outcome = read_transport_error(NoAnswer("timeout", 20_000), {"secret_key": "s"})
        assert outcome.kind is OutcomeKind.UNKNOWN
        assert outcome.exchange is not None
        assert outcome.exchange.request == {"secret_key": "[redacted]"}
        assert outcome.exchange.duration_ms == 20_000


class TestReadJsonObject:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"<html>502</html>",
            b"[1]",
            b'"text"',
            b'{"a": NaN}',
            b'{"a": Infinity}',
            b'{"a": 1e999}',
            b'{"a": 1',
            b"\xff\xfe",
            rb'{"a": "\u0000"}',
            rb'{"a": "\ud800"}',
            b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
            b'{"a":' + b"9" * 5000 + b"}",
        ],
        ids=lambda body: repr(body[:16]),
    )
    def test_refuses_what_is_no_object_or_cannot_be_stored(self, body: bytes) -> None:
        assert read_json_object(body) is None

    def test_reads_text_of_every_language(self) -> None:
        assert read_json_object(rb'{"a": "\ud83d\ude00 \\u0000"}') == {"a": "😀 \\u0000"}


class TestExchange:
    def test_keeps_the_start_of_an_answer_that_is_no_json(self) -> None:
        answer = HttpAnswer(502, {}, b"<html>\0" + b"x" * 5000, 12)
        exchange = record_exchange({}, answer)
        text = exchange.response["text"]
        assert isinstance(text, str)
        assert text.startswith("<html>x")
        assert len(text) < 2001
        assert exchange.http_status == 502


class TestRequireBaseUrl:
    @pytest.mark.parametrize(
        "url",
        [
            "https://api.stripe.com",
            "http://127.0.0.1:8100",
            "http://localhost",
            "http://sandbox.localhost:8100",
            "http://sandbox:8",
        ],
    )
    def test_takes_tls_and_what_is_near(self, url: str) -> None:
        assert require_base_url(url + "/", "x") == url

    @pytest.mark.parametrize(
        "url",
        ["http://api.stripe.com", "ftp://x", "", "https://", "https://x/?a=b", "https://x/#y"],
    )
    def test_refuses_everything_else(self, url: str) -> None:
        with pytest.raises(ValueError, match="x must be"):
            require_base_url(url, "x")


def _self_signed(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.IPAddress(ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    pem.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return pem


def _speak_tls(server: LocalServer, pem: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    inner = server._server
    inner.socket = context.wrap_socket(
        inner.socket, server_side=True, do_handshake_on_connect=False
    )
