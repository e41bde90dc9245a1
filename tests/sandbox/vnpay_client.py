"""A test client for the emulated VNPAY, independent of the adapter: links, queries, refunds."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote_plus, urlsplit

from tests.sandbox.sandbox_process import HASH_SECRET, TMN_CODE, eventually

if TYPE_CHECKING:
    import requests

    from tests.sandbox.sandbox_process import SandboxProcess

GMT7 = timezone(timedelta(hours=7))
RETURN_URL = "http://127.0.0.1:9/return"


def digest(text: str) -> str:
    return hmac.new(HASH_SECRET.encode(), text.encode(), hashlib.sha512).hexdigest()


def stamp(shift: timedelta = timedelta()) -> str:
    return (datetime.now(GMT7) + shift).strftime("%Y%m%d%H%M%S")


def link_params(reference: str, dong: int = 150_000, /, **changes: str) -> dict[str, str]:
    return {
        "vnp_Amount": str(dong * 100),
        "vnp_Command": "pay",
        "vnp_CreateDate": stamp(),
        "vnp_CurrCode": "VND",
        "vnp_ExpireDate": stamp(timedelta(minutes=15)),
        "vnp_IpAddr": "113.160.92.202",
        "vnp_Locale": "en",
        "vnp_OrderInfo": "Thanh toan don hang 1",
        "vnp_OrderType": "other",
        "vnp_ReturnUrl": RETURN_URL,
        "vnp_TmnCode": TMN_CODE,
        "vnp_TxnRef": reference,
        "vnp_Version": "2.1.0",
    } | changes


def query_of(params: dict[str, str]) -> str:
    text = "&".join(f"{quote_plus(k)}={quote_plus(v)}" for k, v in sorted(params.items()))
    return f"{text}&vnp_SecureHash={digest(text)}"


def open_link(sandbox: SandboxProcess, params: dict[str, str]) -> requests.Response:
    return sandbox.http.get(
        f"{sandbox.url}/paymentv2/vpcpay.html?{query_of(params)}", allow_redirects=False, timeout=10
    )


def press(sandbox: SandboxProcess, page: requests.Response, **form: str) -> requests.Response:
    """Press a button on the pay page that an opened link led to; gives the next step's page."""
    address = sandbox.url + page.headers["Location"]
    answer = sandbox.http.post(address, data=form, allow_redirects=False, timeout=10)
    return sandbox.next_step(answer)


def verified(query: str) -> dict[str, str]:
    """The parameters of a return or an IPN; fails on a wrong signature."""
    pairs = sorted(pair for pair in query.split("&") if not pair.startswith("vnp_SecureHash="))
    params = dict(parse_qsl(query))
    assert params["vnp_SecureHash"] == digest("&".join(pairs))
    return params


def returned(answer: requests.Response) -> dict[str, str]:
    """The parameters that the shopper brings back."""
    assert answer.status_code == 302, answer.text
    assert answer.headers["Location"].startswith(f"{RETURN_URL}?")
    return verified(urlsplit(answer.headers["Location"]).query)


def pay(sandbox: SandboxProcess, reference: str, dong: int = 150_000) -> dict[str, str]:
    params = link_params(reference, dong)
    returned(press(sandbox, open_link(sandbox, params), decision="approve"))
    return params


ANSWER = (
    "ResponseId Command ResponseCode Message TmnCode TxnRef Amount BankCode PayDate TransactionNo "
    "TransactionType TransactionStatus OrderInfo"
)
ORDERS = {
    "querydr": "RequestId Version Command TmnCode TxnRef TransactionDate CreateDate IpAddr "
    "OrderInfo",
    "refund": "RequestId Version Command TmnCode TransactionType TxnRef Amount TransactionNo "
    "TransactionDate CreateBy CreateDate IpAddr OrderInfo",
}
ANSWERS = {"querydr": ANSWER + " PromotionCode PromotionAmount", "refund": ANSWER}


def joined(fields: dict[str, str], order: str) -> str:
    return "|".join(fields.get(f"vnp_{name}", "") for name in order.split())


def request_body(command: str, payment: dict[str, str], **changes: str) -> dict[str, str]:
    body = {
        "vnp_RequestId": uuid.uuid4().hex,
        "vnp_Version": "2.1.0",
        "vnp_Command": command,
        "vnp_TmnCode": TMN_CODE,
        "vnp_TxnRef": payment["vnp_TxnRef"],
        "vnp_TransactionDate": payment["vnp_CreateDate"],
        "vnp_CreateDate": stamp(),
        "vnp_IpAddr": "127.0.0.1",
        "vnp_OrderInfo": "Tra cuu",
    }
    if command == "refund":
        body |= {"vnp_TransactionType": "02", "vnp_Amount": payment["vnp_Amount"],
                 "vnp_TransactionNo": "0", "vnp_CreateBy": "finance"}  # fmt: skip
    body |= changes
    return body | {"vnp_SecureHash": digest(joined(body, ORDERS[command]))}


def send(sandbox: SandboxProcess, body: dict[str, str], timeout_s: float = 10.0) -> Any:
    answer = sandbox.http.post(
        f"{sandbox.url}/merchant_webapi/api/transaction", json=body, timeout=timeout_s
    )
    assert answer.status_code == 200, answer.text
    fields = answer.json()
    assert fields["vnp_SecureHash"] == digest(joined(fields, ANSWERS[body["vnp_Command"]]))
    return fields


def query(sandbox: SandboxProcess, payment: dict[str, str], **changes: str) -> Any:
    return send(sandbox, request_body("querydr", payment, **changes))


def refund(sandbox: SandboxProcess, payment: dict[str, str], **changes: str) -> Any:
    return send(sandbox, request_body("refund", payment, **changes))


def attempts(sandbox: SandboxProcess, reference: str, number: int) -> list[Any]:
    """The attempts of the one IPN of a payment, once there are so many."""

    def look() -> list[Any] | None:
        webhooks = sandbox.journal(reference=reference)["webhooks"]
        tried: list[Any] = webhooks[0]["attempts"] if webhooks else []
        return tried if len(tried) >= number else None

    return eventually(look, f"attempt {number}") or []
