"""A shopper's and an operator's view of a running stack: over HTTP, as everybody sees it."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg2

from local import environment
from local.servers import Servers
from local.stack import Stack

ROOT: Final = Path(__file__).resolve().parents[2]
PATIENCE_S: Final = 60.0
POLL_S: Final = 0.1
HTTP_LIMIT_S: Final = 30.0
ENDED: Final = ("SUCCESS", "FAILED")


@dataclass(frozen=True)
class Reply:
    """One HTTP answer."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.text)


def send(
    method: str, url: str, body: object = None, headers: Mapping[str, str] | None = None
) -> Reply:
    """One request, no redirects followed."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=HTTP_LIMIT_S)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    content = None if body is None else json.dumps(body)
    sent = {"Content-Type": "application/json", **(headers or {})}
    try:
        connection.request(method, target, content, sent)
        answer = connection.getresponse()
        return Reply(answer.status, dict(answer.getheaders()), answer.read().decode())
    finally:
        connection.close()


def eventually(question: Callable[[], Any], *, within_s: float = PATIENCE_S) -> Any:
    """The first true answer; fails with the last one when there is none in time."""
    deadline = time.monotonic() + within_s
    while not (answer := question()):
        assert time.monotonic() < deadline, f"still {answer!r} after {within_s} s"
        time.sleep(POLL_S)
    return answer


@dataclass
class Shop:
    """A running stack and one signed-in shopper."""

    stack: Stack
    servers: Servers
    token: str = ""
    orders: list[str] = field(default_factory=list)

    @property
    def base(self) -> str:
        """The product's base URL."""
        return self.stack.settings["BASE_URL"]

    @property
    def sandbox(self) -> str:
        """The sandbox's base URL."""
        return self.stack.settings["SANDBOX_URL"]

    def sign_in(self) -> None:
        """Take an access token for the demo shopper."""
        login = {"username": "shopper", "password": self.stack.settings["DEMO_PASSWORD"]}
        self.token = send("POST", f"{self.base}/auth/token", login).json["access"]

    def api(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """One call of the API as the shopper."""
        auth = {"Authorization": f"Bearer {self.token}"}
        return send(method, self.base + path, body, {**auth, **(headers or {})})

    def order(self, sku: str = "coffee-phin", currency: str = "VND") -> dict[str, Any]:
        """A new order of one piece."""
        lines = [{"sku": sku, "quantity": 1}]
        reply = self.api("POST", "/orders", {"currency": currency, "lines": lines})
        assert reply.status == 201, reply.text
        self.orders.append(reply.json["id"])
        return dict(reply.json)

    def pay(
        self,
        order: Mapping[str, Any],
        method: str = "card",
        token: str = "",
        wait_s: int = 0,
        **more: str,
    ) -> Reply:
        """Ask for a payment of the whole order."""
        body = {
            **more,
            "order_id": order["id"],
            "amount": order["total"],
            "currency": order["currency"],
            "method": method,
        }
        headers = {"Prefer": f"wait={wait_s}"} if wait_s else {}
        if token:
            body["payment_token"] = token
        return self.api("POST", "/payments", body, headers)

    def payment(self, payment_id: str) -> dict[str, Any]:
        """The payment as it stands."""
        return dict(self.api("GET", f"/payments/{payment_id}").json)

    def link(self, payment_id: str) -> str:
        """Where its shopper must go, once the gateway has said it."""
        return str(eventually(lambda: self.payment(payment_id)["next_action"])["url"])

    def ended(self, payment_id: str, *, within_s: float = PATIENCE_S) -> dict[str, Any]:
        """The payment once it has ended."""

        def look() -> dict[str, Any] | None:
            payment = self.payment(payment_id)
            return payment if payment.get("status") in ENDED else None

        return dict(eventually(look, within_s=within_s))

    def open_page(self, url: str) -> Reply:
        """Open the gateway's page as a browser would, with its cookies, until it sends us back."""
        cookies: dict[str, str] = {}
        reply = send("GET", url)
        for _ in range(5):
            cookies |= _cookies(reply)
            target = reply.headers.get("Location") or reply.headers.get("location", "")
            if not target or target.startswith(self.base):
                break
            target = target if "://" in target else self.sandbox + target
            pairs = "; ".join(f"{name}={value}" for name, value in cookies.items())
            reply = send("GET", target, headers={"Cookie": pairs})
        return reply

    def behave(self, gateway: str, **rule: Any) -> None:
        """Tell the sandbox how a gateway behaves from now on."""
        reply = send("PUT", f"{self.sandbox}/control/behaviour", {"gateway": gateway, **rule})
        assert reply.status == 200, reply.text

    def restore_gateways(self) -> None:
        """Drop every rule, also one that no payment has used up, and every shift of the clock."""
        assert send("POST", f"{self.sandbox}/control/reset").status == 200

    def charges(self, payment_id: str) -> list[dict[str, Any]]:
        """What the gateway's own book holds for a payment: charges that took money."""
        return [charge for charge in self.book(payment_id)["charges"] if charge["captured"]]

    def book(self, payment_id: str) -> dict[str, Any]:
        """Everything that the gateway's own book holds about a payment."""
        reference = payment_id.removeprefix("pay_")
        return dict(send("GET", f"{self.sandbox}/control/book?reference={reference}").json)

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a management command against the stack."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            env=environment.process_env(self.stack.settings),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Look behind the API."""
        connection = psycopg2.connect(self.stack.settings["DATABASE_URL"])
        with closing(connection), connection.cursor() as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall())

    def end_leases_of_mails(self) -> None:
        """Let what a dead worker was sending be sent now, and not five minutes later."""
        connection = psycopg2.connect(self.stack.settings["DATABASE_URL"])
        with closing(connection), connection, connection.cursor() as cursor:
            cursor.execute("UPDATE notifications SET lease_until = NULL WHERE sent_at IS NULL")

    def require_sound_books(self, *options: str) -> None:
        """Every invariant holds."""
        checked = self.manage("check_invariants", *options)
        assert checked.returncode == 0, checked.stdout + checked.stderr

    def come_to_rest(self) -> None:
        """End whatever tests have left open, and wait until nothing is under way."""
        open_ones = "SELECT replace(id::text, '-', '') FROM transactions WHERE ended_at IS NULL"
        for (reference,) in self.query(open_ones):
            self.api("POST", f"/payments/pay_{reference}/cancel")
        with suppress(AssertionError):
            eventually(lambda: not self._under_way())
        left = self._under_way()
        assert not left, left

    def _under_way(self) -> list[tuple[Any, ...]]:
        """What has not ended, been sent or been read: which, and how it stands."""
        return self.query(
            "SELECT id, gateway, status FROM transactions WHERE ended_at IS NULL"
            " UNION ALL SELECT id, channel, event_key FROM notifications WHERE sent_at IS NULL"
            " UNION ALL SELECT id, gateway, event_type FROM webhook_events WHERE state = 'NEW'"
        )


def _cookies(reply: Reply) -> dict[str, str]:
    header = reply.headers.get("Set-Cookie") or reply.headers.get("set-cookie", "")
    name, _, value = header.partition(";")[0].partition("=")
    return {name.strip(): value} if value else {}
