"""A test client for the emulated PayPal, independent of the adapter: calls, orders, signatures."""

from __future__ import annotations

import base64
import json
import time
import uuid
import zlib
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.sandbox.sandbox_process import PAYPAL_KEYS, eventually

if TYPE_CHECKING:
    import requests

    from tests.sandbox.sandbox_process import Received, SandboxProcess, Shop

ORDERS = "/v2/checkout/orders"
PAYMENTS = "/v2/payments"
RETURN_URL = "http://127.0.0.1:9/return?order=1"
CANCEL_URL = "http://127.0.0.1:9/cancel"
WEBHOOK_ID = PAYPAL_KEYS["PAYPAL_WEBHOOK_IDS"].split(",")[0]


class Caller:
    """One app with its token."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.sandbox = sandbox
        self.renew()

    def renew(self) -> None:
        answer = self.ask_token(PAYPAL_KEYS["PAYPAL_SECRET"])
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["access_token"]

    def ask_token(self, secret: str) -> requests.Response:
        return self.sandbox.http.post(
            f"{self.sandbox.url}/v1/oauth2/token",
            auth=(PAYPAL_KEYS["PAYPAL_CLIENT_ID"], secret),
            data={"grant_type": "client_credentials"},
            timeout=10,
        )

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str = "",
        full: bool = True,
        timeout_s: float = 10,
        **headers: str,
    ) -> requests.Response:
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        sent |= {"PayPal-Request-Id": key} if key else {}
        sent |= {"Prefer": "return=representation"} if full else {}
        return self.sandbox.http.request(
            method,
            self.sandbox.url + path,
            headers={**sent, **headers},
            data=None if body is None else json.dumps(body),
            timeout=timeout_s,
        )

    def post(self, path: str, body: Any = None, **more: Any) -> requests.Response:
        return self.call("POST", path, {} if body is None else body, **more)

    def get(self, path: str, **more: Any) -> Any:
        answer = self.call("GET", path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def create(self, reference: str, value: str = "19.99", **changes: Any) -> Any:
        answer = self.post(ORDERS, order_body(reference, value, **changes), key=new_key())
        assert answer.status_code == 200, answer.text
        return answer.json()

    def approved(self, reference: str, value: str = "19.99", **changes: Any) -> Any:
        """An order that its buyer approved on the page."""
        order = self.create(reference, value, **changes)
        press(self.sandbox, page_of(order), decision="pay", source="approve")
        return order

    def captured(self, reference: str, value: str = "19.99", **changes: Any) -> Any:
        """The capture of an order that was approved."""
        order = self.approved(reference, value, **changes)
        answer = self.post(f"{ORDERS}/{order['id']}/capture", key=new_key())
        assert answer.status_code == 201, answer.text
        return answer.json()["purchase_units"][0]["payments"]["captures"][0]


def order_body(reference: str, value: str = "19.99", /, **changes: Any) -> dict[str, Any]:
    unit = {
        "amount": money(value),
        "custom_id": reference,
        "invoice_id": reference,
        "description": "Order 1",
    }
    context = {"return_url": RETURN_URL, "cancel_url": CANCEL_URL, "brand_name": "Suite shop"}
    return {
        "intent": changes.pop("intent", "CAPTURE"),
        "purchase_units": [{**unit, **changes}],
        "payment_source": {"paypal": {"experience_context": context}},
    }


def money(value: str, currency: str = "USD") -> dict[str, str]:
    return {"currency_code": currency, "value": value}


def new_key() -> str:
    return uuid.uuid4().hex


def issue_of(answer: requests.Response) -> tuple[int, str]:
    """The status and the issue of an error, which has PayPal's shape."""
    body = answer.json()
    assert {"name", "message", "debug_id", "details"} <= set(body), body
    return answer.status_code, body["details"][0]["issue"]


def page_of(order: Any) -> str:
    links = {link["rel"]: link["href"] for link in order["links"]}
    return str(links.get("payer-action") or links["approve"])


def press(sandbox: SandboxProcess, url: str, **fields: str) -> requests.Response:
    return sandbox.http.post(url, data=fields, allow_redirects=False, timeout=10)


def returned(answer: requests.Response, address: str = RETURN_URL) -> dict[str, str]:
    """What the browser brings back to the shop."""
    assert answer.status_code == 302, answer.text
    assert answer.headers["Location"].startswith(address)
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


def about(shop: Shop, reference: str) -> list[Received]:
    known = reference.encode()
    return [g for g in list(shop.received) if g.path.endswith("/paypal") and known in g.body]


def events(shop: Shop, reference: str) -> list[str]:
    return [got.json()["event_type"] for got in about(shop, reference)]


def event(shop: Shop, reference: str, kind: str) -> Received:
    """The first event of a kind about a payment."""
    eventually(lambda: kind in events(shop, reference), kind)
    return next(got for got in about(shop, reference) if got.json()["event_type"] == kind)


def is_signed(sandbox: SandboxProcess, got: Received) -> bool:
    """Whether a delivery is signed by the certificate that it names."""
    headers = {name.lower(): value for name, value in got.headers.items()}
    assert headers["paypal-auth-algo"] == "SHA256withRSA"
    pem = sandbox.http.get(headers["paypal-cert-url"], timeout=10).content
    key = x509.load_pem_x509_certificates(pem)[0].public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    text = "|".join(
        (
            headers["paypal-transmission-id"],
            headers["paypal-transmission-time"],
            WEBHOOK_ID,
            str(zlib.crc32(got.body)),
        )
    )
    signature = base64.b64decode(headers["paypal-transmission-sig"])
    try:
        key.verify(signature, text.encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def question(got: Received) -> bytes:
    """What ``verify-webhook-signature`` is asked about a delivery, around its raw body."""
    headers = {name.lower(): value for name, value in got.headers.items()}
    head = {
        "auth_algo": headers["paypal-auth-algo"],
        "cert_url": headers["paypal-cert-url"],
        "transmission_id": headers["paypal-transmission-id"],
        "transmission_sig": headers["paypal-transmission-sig"],
        "transmission_time": headers["paypal-transmission-time"],
        "webhook_id": WEBHOOK_ID,
    }
    return json.dumps(head).encode()[:-1] + b', "webhook_event": ' + got.body + b"}"


def rfc3339(shift_s: float = 0) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + shift_s))
