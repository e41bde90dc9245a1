"""A test client for the emulated MoMo, independent of the adapter: requests, IPNs, returns."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from tests.sandbox.sandbox_process import MOMO_KEYS, eventually

if TYPE_CHECKING:
    import requests

    from tests.sandbox.sandbox_process import Received, SandboxProcess, Shop

PARTNER = MOMO_KEYS["MOMO_PARTNER_CODE"]
RETURN_URL = "http://127.0.0.1:9/return"
RESULT = [
    "amount",
    "extraData",
    "message",
    "orderId",
    "orderInfo",
    "orderType",
    "partnerCode",
    "payType",
    "requestId",
    "responseTime",
    "resultCode",
    "transId",
]
SIGNED = {
    "create": [
        "amount",
        "extraData",
        "ipnUrl",
        "orderId",
        "orderInfo",
        "partnerCode",
        "redirectUrl",
        "requestId",
        "requestType",
    ],
    "query": ["orderId", "partnerCode", "requestId"],
    "refund": ["amount", "description", "orderId", "partnerCode", "requestId", "transId"],
    "refund/query": ["orderId", "partnerCode", "requestId"],
    "confirm": ["amount", "description", "orderId", "partnerCode", "requestId", "requestType"],
}


def sign(names: list[str], values: dict[str, Any]) -> str:
    pairs = {name: values.get(name, "") for name in names}
    pairs["accessKey"] = MOMO_KEYS["MOMO_ACCESS_KEY"]
    text = "&".join(f"{name}={pairs[name]}" for name in sorted(pairs))
    key = MOMO_KEYS["MOMO_SECRET_KEY"].encode()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def create_body(reference: str, dong: int = 150_000, /, **changes: Any) -> dict[str, Any]:
    return {
        "partnerCode": PARTNER,
        "requestId": uuid.uuid4().hex,
        "orderId": reference,
        "amount": dong,
        "orderInfo": "Thanh toán đơn hàng 1, cảm ơn",
        "redirectUrl": RETURN_URL,
        "ipnUrl": "https://shop.example.vn/webhooks/momo",
        "requestType": "captureWallet",
        "extraData": "",
        "lang": "en",
        **changes,
    }


def send(
    sandbox: SandboxProcess, operation: str, body: dict[str, Any], timeout_s: float = 10
) -> requests.Response:
    signed = {**body, "signature": sign(SIGNED[operation], body)}
    return sandbox.http.post(
        f"{sandbox.url}/v2/gateway/api/{operation}", json=signed, timeout=timeout_s
    )


def create(sandbox: SandboxProcess, reference: str, dong: int = 150_000, /, **changes: Any) -> Any:
    answer = send(sandbox, "create", create_body(reference, dong, **changes))
    assert (answer.status_code, answer.json()["resultCode"]) == (200, 0), answer.text
    return answer.json()


def query(sandbox: SandboxProcess, reference: str) -> Any:
    body = {"partnerCode": PARTNER, "requestId": uuid.uuid4().hex, "orderId": reference}
    return send(sandbox, "query", {**body, "lang": "en"}).json()


def refund_body(trans_id: int, dong: int, /, **changes: Any) -> dict[str, Any]:
    return {
        "partnerCode": PARTNER,
        "requestId": uuid.uuid4().hex,
        "orderId": uuid.uuid4().hex,
        "amount": dong,
        "transId": trans_id,
        "lang": "en",
        "description": "",
        **changes,
    }


def refund(sandbox: SandboxProcess, trans_id: int, dong: int, /, **changes: Any) -> Any:
    return send(sandbox, "refund", refund_body(trans_id, dong, **changes)).json()


def confirm(sandbox: SandboxProcess, reference: str, dong: int, request_type: str) -> Any:
    body = {
        "partnerCode": PARTNER,
        "requestId": uuid.uuid4().hex,
        "orderId": reference,
        "requestType": request_type,
        "amount": dong,
        "lang": "en",
        "description": "",
    }
    return send(sandbox, "confirm", body).json()


def paid(sandbox: SandboxProcess, reference: str, dong: int = 150_000, /, **changes: Any) -> Any:
    """A payment that needed nobody, as a query shows it."""
    sandbox.behaviour(gateway="momo", reference=reference, decision="approve")
    create(sandbox, reference, dong, **changes)
    return eventually(lambda: over(sandbox, reference), "the decision")


def over(sandbox: SandboxProcess, reference: str) -> Any:
    """The payment once it does not wait for the shopper any more."""
    found = query(sandbox, reference)
    return found if found["resultCode"] != 1000 else None


def about(shop: Shop, reference: str) -> list[Received]:
    known = reference.encode()
    return [g for g in list(shop.received) if g.path.endswith("/momo") and known in g.body]


def any_ipn(shop: Shop, reference: str) -> Any:
    """The first IPN about a payment, whatever its signature is worth."""
    got = eventually(lambda: about(shop, reference), "the IPN")[0]
    assert got.method == "POST"
    return got.json()


def ipn(shop: Shop, reference: str) -> Any:
    """The first IPN about a payment, with a good signature."""
    fields = any_ipn(shop, reference)
    assert fields["signature"] == sign(RESULT, fields)
    return fields


def press(sandbox: SandboxProcess, url: str, **fields: str) -> requests.Response:
    """Press a button on a page; gives the next step's page, or the way back to the shop."""
    answer = sandbox.http.post(url, data=fields, allow_redirects=False, timeout=10)
    return sandbox.next_step(answer)


def returned(answer: requests.Response) -> dict[str, str]:
    """What the browser brings back to the shop, with a good signature."""
    assert answer.status_code == 302, answer.text
    address = answer.headers["Location"]
    assert address.startswith(RETURN_URL)
    fields = dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))
    assert fields["signature"] == sign(RESULT, fields)
    return fields


def read_trans_id(payment: Any) -> int:
    number = payment["transId"]
    assert isinstance(number, int)
    return number
