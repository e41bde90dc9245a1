"""Legal but odd ways to put a good answer on the wire, past every adapter: read right or unknown.

Each wire is given a genuine "paid"; a reader that trips must say that it knows nothing.
"""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from gateways.base import Gateway
from gateways.http import ANSWER_BYTES_MAX
from gateways.momo.gateway import MomoGateway
from gateways.operation import Operation, Verb
from gateways.outcome import OutcomeKind
from gateways.paypal.gateway import PaypalGateway
from gateways.stripe.gateway import StripeGateway
from gateways.vnpay.gateway import VnpayGateway
from tests.gateways.momo import wallet
from tests.gateways.paypal import account
from tests.gateways.raw_server import RawServer
from tests.gateways.samples import details, operation, run
from tests.gateways.stripe import psp_samples as stripes
from tests.gateways.vnpay import psp_samples as vnpays

PAID = OutcomeKind.SUCCEEDED


@dataclass(frozen=True)
class Side:
    """A gateway behind an address, a question to it, and the answer that says "paid"."""

    build: Callable[[str], Gateway]
    asked: Operation
    paid: dict[str, Any]


def _vnpay(url: str) -> Gateway:
    options = {
        "tmn_code": vnpays.TMN_CODE, "hash_secret": vnpays.SECRET, "server_ip": "10.1.2.3",
        "pay_url": f"{url}/pay", "api_url": f"{url}/api",
    }  # fmt: skip
    return VnpayGateway.from_settings(options)


def _stripe(url: str) -> Gateway:
    keys = {"secret_key": "sk_test_1", "webhook_secrets": "whsec_1"}
    return StripeGateway.from_settings({**keys, "api_base": url})


SIDES = {
    "stripe": Side(
        _stripe,
        operation(
            Verb.QUERY,
            details(has_token=True, psp_reference="pi_1", psp_data={"payment_intent": "pi_1"}),
        ),
        stripes.payment_intent(),
    ),
    "paypal": Side(
        lambda url: PaypalGateway.from_settings({**account.OPTIONS, "api_base": url}),
        operation(Verb.QUERY, account.created()),
        account.order("COMPLETED", captures=[account.capture()]),
    ),
    "vnpay": Side(_vnpay, operation(Verb.QUERY), dict(vnpays.query_answer())),
    "momo": Side(
        lambda url: MomoGateway.from_settings({**wallet.OPTIONS, "api_base": url}),
        operation(Verb.QUERY),
        wallet.content(0, transId=4088878653, refundTrans=[]),
    ),
}


@pytest.fixture(params=SIDES)
def side(request: pytest.FixtureRequest) -> Side:
    return SIDES[request.param]


def plain(body: bytes, status: str = "200 OK", *more: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *more, "", ""]
    return "\r\n".join(head).encode() + body


def chunked(body: bytes, *more: str) -> bytes:
    parts = [body[start : start + 7] for start in range(0, len(body), 7)]
    text = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(part), part) for part in parts)
    head = ["HTTP/1.1 200 OK", "TRANSFER-ENCODING: chunked", *more, "", ""]
    return "\r\n".join(head).encode() + text + b"0\r\nTrailer: x\r\n\r\n"


def until_closed(body: bytes) -> bytes:
    return b"HTTP/1.0 200 OK\r\nserver: old\r\n\r\n" + body


def twice(body: bytes) -> bytes:
    """The first member once more, with another value, at the end of the object."""
    name: str = next(iter(json.loads(body)))
    return body[:-1] + b', "' + name.encode() + b'": "another"}'


@pytest.fixture
def serve() -> Iterator[Callable[..., RawServer]]:
    servers: list[RawServer] = []

    def start(wire: Callable[[bytes], bytes | None], content: Any, **how: Any) -> RawServer:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()

        def respond(head: bytes, _: bytes) -> bytes | None:
            if b"/oauth2/token" in head.splitlines()[0]:
                return plain(json.dumps(account.TOKEN).encode(), "200 OK", "Connection: close")
            return wire(body)

        servers.append(RawServer(respond, **how))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def heard(side: Side, server: RawServer) -> OutcomeKind:
    return run(side.build(server.url), side.asked).kind


class TestAGoodAnswer:
    @pytest.mark.parametrize(
        ("wire", "closes"),
        [
            (plain, False),
            (chunked, False),
            (until_closed, True),
            (lambda body: chunked(gzip.compress(body), "content-encoding: GZIP"), False),
            (lambda body: plain(gzip.compress(body), "200 OK", "Content-Encoding: gzip"), False),
            (lambda body: plain(b"\xef\xbb\xbf" + body), False),
            (lambda body: plain(b"\r\n " + body + b"\r\n"), False),
            (lambda body: plain(body, "200 ", "Content-Type: text/plain"), False),
            (lambda body: b"HTTP/1.1 100 Continue\r\n\r\n" + plain(body), False),
            (lambda body: plain(body, "200 OK", "X-Long: " + "x" * 9000), False),
        ],
        ids=[
            "plain", "chunked", "http10", "gzip-chunked", "gzip", "bom", "blanks", "text-plain",
            "continue", "long-header",
        ],
    )  # fmt: skip
    def test_is_read_however_it_comes(
        self, side: Side, serve: Any, wire: Callable[[bytes], bytes], *, closes: bool
    ) -> None:
        assert heard(side, serve(wire, side.paid, closes=closes)) is PAID

    def test_may_hold_members_that_nobody_knows(self, side: Side, serve: Any) -> None:
        more = {"new_member": {"status": "failed", "resultCode": 1006}, "another": [None, 1.5]}
        assert heard(side, serve(plain, {**more, **side.paid, "zz": "failed"})) is PAID

    def test_is_never_a_no_when_the_kept_connection_goes(self, side: Side, serve: Any) -> None:
        # The end may come while the next question is under way; then nobody can say.
        gateway = side.build(serve(plain, side.paid, closes=True).url)
        assert {run(gateway, side.asked).kind for _ in range(3)} <= {PAID, OutcomeKind.UNKNOWN}


class TestADoubtfulAnswer:
    @pytest.mark.parametrize(
        "wire",
        [
            lambda body: plain(twice(body)),
            lambda body: plain(body[:-20]),
            lambda body: plain(b"[" + body + b"]"),
            lambda body: plain(body + body),
            lambda body: plain(body, "200 OK", "Content-Encoding: gzip"),
            lambda body: plain(gzip.compress(body)[:-30], "200 OK", "Content-Encoding: gzip"),
            lambda body: plain(body.decode().encode("utf-16")),
            lambda body: plain(body[:-1] + b', "pad": "' + b"x" * ANSWER_BYTES_MAX + b'"}'),
            lambda body: plain(
                gzip.compress(b" " * ANSWER_BYTES_MAX + body), "200 OK", "Content-Encoding: gzip"
            ),
            lambda body: chunked(
                gzip.compress(b" " * ANSWER_BYTES_MAX + body), "Content-Encoding: gzip"
            ),
            lambda body: plain(body, "302 Found", "Location: /elsewhere"),
            lambda body: plain(body, "307 Temporary Redirect", "Location: /elsewhere"),
            lambda body: plain(body, "503 Service Unavailable"),
            lambda body: chunked(body)[:-30],
            lambda body: b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + body,
            lambda _: b"nonsense\r\n\r\n",
            lambda _: None,
        ],
        ids=[
            "twice", "cut-json", "in-a-list", "two", "not-gzip", "cut-gzip", "utf16", "huge",
            "gzip-bomb", "gzip-bomb-chunked", "redirect", "redirect-307", "503", "cut-chunks",
            "cut", "no-http", "closed",
        ],
    )  # fmt: skip
    def test_says_nothing(
        self, side: Side, serve: Any, wire: Callable[[bytes], bytes | None]
    ) -> None:
        server = serve(wire, side.paid, closes=True)
        assert heard(side, server) is OutcomeKind.UNKNOWN
        assert not any(b"/elsewhere" in head for head in server.heads)
