"""What the tests drive: a sandbox in its own process, and a shop that takes its webhooks."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import urlsplit

import requests
import stripe

T = TypeVar("T")

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
STRIPE_KEY = "sk_test_sandbox_suite"
STRIPE_SECRETS = ("whsec_new", "whsec_old")
TMN_CODE = "SIMTMN01"
HASH_SECRET = "SIMULATORHASHSECRET0123456789ABC"
MOMO_KEYS = {
    "MOMO_PARTNER_CODE": "MOMOSUITE",
    "MOMO_ACCESS_KEY": "suiteAccessKey01",
    "MOMO_SECRET_KEY": "suiteSecretKey0123456789abcdefgh",
}
PAYPAL_KEYS = {
    "PAYPAL_CLIENT_ID": "suite-client",
    "PAYPAL_SECRET": "suite-secret",
    "PAYPAL_MERCHANT_ID": "SANDBXMERCHNT",
    "PAYPAL_WEBHOOK_IDS": "8PT597110X687430L,1JE4291016473214C",
}
START_S_MAX = 20.0
EVENTUALLY_S_MAX = 10.0
LOOK_S = 0.02


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def eventually(look: Callable[[], T], what: str = "it") -> T:
    """The first true result; fails when none comes in time."""
    until = time.monotonic() + EVENTUALLY_S_MAX
    while time.monotonic() < until:
        found = look()
        if found:
            return found
        time.sleep(LOOK_S)
    raise AssertionError(f"{what} did not happen in {EVENTUALLY_S_MAX} s")


def _wire() -> requests.Session:
    """A pooled client that does not look for a proxy at every request."""
    session = requests.Session()
    session.trust_env = False
    return session


@dataclass(frozen=True)
class Received:
    """One request that the shop received."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    at: float

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Shop:
    """A small server in the place of ours.

    ``answers`` are used up first, then ``answer`` is given.
    """

    port: int = 0
    received: list[Received] = field(default_factory=list)
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    answer: tuple[int, bytes] = (200, b'{"RspCode":"00","Message":"ok"}')

    def __enter__(self) -> Self:
        shop = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                shop.take(self)

            def do_POST(self) -> None:
                shop.take(self)

            def log_message(self, *args: object) -> None:
                """Stay silent."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, *args: object) -> None:
                """A sandbox that was killed resets its connections; that is no news."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        url = urlsplit(handler.path)
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        self.received.append(
            Received(
                handler.command, url.path, url.query, dict(handler.headers), body, time.monotonic()
            )
        )
        status, text = self.answers.pop(0) if self.answers else self.answer
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)

    def about(self, reference: str) -> list[Received]:
        """The Stripe events about one payment, in the order they came."""
        known = reference.encode()
        return [
            got for got in list(self.received) if got.path.endswith("/stripe") and known in got.body
        ]

    def events(self, reference: str) -> list[str]:
        return [got.json()["type"] for got in self.about(reference)]

    def ipns(self, reference: str) -> list[Received]:
        return [got for got in list(self.received) if f"vnp_TxnRef={reference}" in got.query]


@dataclass
class SandboxProcess:
    """The sandbox's process."""

    data_dir: Path
    webhook_base: str
    port: int = field(default_factory=free_port)
    more_env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = _wire()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def env(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "SANDBOX_PORT": str(self.port),
            "SANDBOX_DATA_DIR": str(self.data_dir),
            "SANDBOX_WEBHOOK_BASE": self.webhook_base,
            "STRIPE_SECRET_KEY": STRIPE_KEY,
            "STRIPE_WEBHOOK_SECRETS": ",".join(STRIPE_SECRETS),
            "STRIPE_ACCOUNT": "acct_suite",
            "VNPAY_TMN_CODE": TMN_CODE,
            "VNPAY_HASH_SECRET": HASH_SECRET,
            **MOMO_KEYS,
            **PAYPAL_KEYS,
            **self.more_env,
        }

    def start(self) -> Self:
        self.process = subprocess.Popen([sys.executable, "-m", "sandbox"], cwd=ROOT, env=self.env)
        until = time.monotonic() + START_S_MAX
        while time.monotonic() < until:
            with contextlib.suppress(requests.ConnectionError):
                if self.http.get(f"{self.url}/control/health", timeout=5).ok:
                    return self
            assert self.process.poll() is None, "the sandbox ended while it started"
            time.sleep(0.05)
        raise AssertionError("the sandbox did not start")

    def end(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(timeout=10)
        # Pooled connections to the ended process must not be used again.
        self.http.close()
        self.http = _wire()
        return code

    def behaviour(self, **rule: Any) -> Any:
        answer = self.http.put(f"{self.url}/control/behaviour", json=rule, timeout=5)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def control(self, path: str, **body: Any) -> Any:
        answer = self.http.post(f"{self.url}/control/{path}", json=body, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def next_step(self, answer: requests.Response) -> requests.Response:
        """The page that a pressed button leads to; ``answer`` itself where it leads elsewhere."""
        if answer.status_code != requests.codes.see_other:
            return answer
        return self.http.get(self.url + answer.headers["Location"], timeout=10)

    def journal(self, **query: Any) -> Any:
        return self.http.get(f"{self.url}/control/book", params=query, timeout=10).json()

    def charge(self, reference: str) -> Any:
        """The one charge of a reference."""
        charges = self.journal(reference=reference)["charges"]
        assert len(charges) == 1, charges
        return charges[0]

    def stripe(self, timeout_s: float = 10.0, key: str = STRIPE_KEY) -> Any:
        """The official SDK, pointed at the sandbox, with its own retries off."""
        return stripe.StripeClient(
            key,
            base_addresses={"api": self.url},
            http_client=stripe.RequestsClient(timeout=timeout_s, session=requests.Session()),
        )
