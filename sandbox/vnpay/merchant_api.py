"""``/merchant_webapi/api/transaction``: querydr and refund, signed both ways."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from aiohttp import web

from sandbox.faults import Call, Failures
from sandbox.json_object import read_object
from sandbox.vnpay import codes, payment_methods, signing
from sandbox.vnpay.payment_methods import bank_and_card
from sandbox.vnpay.payments import NAME, stamp, status_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.gateway import SandboxContext
    from sandbox.journal import Json
    from sandbox.vnpay.payments import Payments

REQUEST_ID = re.compile(r"[A-Za-z0-9]{1,32}")
AMOUNT = re.compile(r"[0-9]{1,12}")
FULL, PARTIAL = "02", "03"
PAYMENT_TYPE = "01"

MESSAGES = {
    "00": "Success",
    "02": "Merchant invalid",
    "03": "Data format invalid",
    "04": "Full refund not allowed after a partial one",
    "13": "Only partial refunds are allowed",
    "91": "Transaction not found",
    "93": "Refund amount invalid",
    "94": "Duplicate request",
    "95": "Transaction was not successful, refund refused",
    "97": "Checksum invalid",
    "99": "Other error",
}

FORBIDDEN = (
    "<html><head><title>403 Forbidden</title></head><body><h1>403 Forbidden</h1></body></html>"
)
SERVER_ERROR = "<html><body><h1>Server Error</h1></body></html>"


DOMESTIC_BANK = 1


class Refused(Exception):
    """The request ends with one of VNPAY's response codes."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class MerchantApi:
    """The one endpoint with its two commands."""

    def __init__(
        self, context: SandboxContext, payments: Payments, *, tmn_code: str, secret: str
    ) -> None:
        """``secret`` signs and verifies both directions."""
        self._context = context
        self._payments = payments
        self._tmn_code = tmn_code
        self._secret = secret
        self._requests = context.journal.table("vnpay.requests")

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request; a caller without a User-Agent gets VNPAY's 403."""
        if not request.headers.get("User-Agent"):
            return web.Response(status=403, text=FORBIDDEN, content_type="text/html")
        fields = read_fields(await request.read())
        command = fields.get("vnp_Command", "")
        reference = fields.get("vnp_TxnRef")
        known = reference if reference and self._payments.get(reference) else None
        call = Call(gateway=NAME, operation=command or "unknown", reference=known)

        async def work() -> web.Response:
            return web.json_response(self._answer(command, fields))

        return await self._context.faults.perform(request, call, work, FAILURES)

    async def banks(self, request: web.Request) -> web.Response:
        """The bank list: a form with the website's code, unsigned."""
        form = await request.post()
        if form.get("tmn_code") != self._tmn_code:
            return web.json_response([])
        return web.json_response(
            [
                {
                    "bank_code": code,
                    "bank_name": name,
                    "bank_type": DOMESTIC_BANK,
                    "display_order": order,
                    "logo_link": f"/qrpayauth/logos/{code.lower()}.png",
                }
                for order, (code, name) in enumerate(payment_methods.BANKS.items(), 1)
            ]
        )

    def _answer(self, command: str, fields: dict[str, str]) -> Json:
        if command == "refund":
            return self._signed(self._run(self._refund, fields), signing.REFUND_ANSWER)
        act = self._query if command == "querydr" else self._unknown
        return self._signed(self._run(act, fields), signing.QUERY_ANSWER)

    def _run(
        self, act: Callable[[dict[str, str]], dict[str, str]], fields: dict[str, str]
    ) -> dict[str, str]:
        try:
            return act(fields)
        except Refused as refused:
            return self._frame(fields, refused.code)

    def _unknown(self, _: dict[str, str]) -> dict[str, str]:
        raise Refused("03")

    def _query(self, fields: dict[str, str]) -> dict[str, str]:
        self._check(fields, signing.QUERY_REQUEST)
        payment = self._find(fields)
        bank, _ = bank_and_card(payment["method"])
        answer = self._frame(fields, "00") | {
            "vnp_Amount": str(payment["amount"]),
            "vnp_OrderInfo": payment["params"]["vnp_OrderInfo"],
            "vnp_BankCode": bank,
            "vnp_PayDate": payment["pay_date"],
            "vnp_TransactionNo": payment["number"],
            "vnp_TransactionType": PAYMENT_TYPE,
            "vnp_TransactionStatus": status_of(payment),
        }
        return {name: value for name, value in answer.items() if value}

    def _refund(self, fields: dict[str, str]) -> dict[str, str]:
        self._check(fields, signing.REFUND_REQUEST)
        payment = self._find(fields)
        amount = self._refundable(payment, fields)
        rule = self._context.rules.current(NAME, payment["txn_ref"])
        if (code := codes.refund_answer(rule.decision)) is not None:
            raise Refused(code)
        number = self._payments.refund(payment, amount, fields["vnp_RequestId"])
        bank, _ = bank_and_card(payment["method"])
        return self._frame(fields, "00") | {
            "vnp_Message": "Refund success",
            "vnp_Amount": str(amount),
            "vnp_OrderInfo": fields["vnp_OrderInfo"],
            "vnp_BankCode": bank,
            "vnp_PayDate": stamp(self._context.clock.now()),
            "vnp_TransactionNo": number,
            "vnp_TransactionType": fields["vnp_TransactionType"],
            "vnp_TransactionStatus": codes.STATUS_REFUND_ACCEPTED,
        }

    def _refundable(self, payment: Json, fields: dict[str, str]) -> int:
        """The amount to give back (wire scale), or a refusal."""
        kind, text = fields["vnp_TransactionType"], fields["vnp_Amount"]
        if kind not in {FULL, PARTIAL} or not AMOUNT.fullmatch(text):
            raise Refused("03")
        if payment["response"] not in codes.STATUSES:
            raise Refused("95")
        amount = int(text)
        if kind == FULL and payment["refunded"]:
            raise Refused("04")
        if kind == FULL and amount != payment["amount"]:
            raise Refused("93")
        if amount <= 0 or amount % 100 or amount > payment["amount"] - payment["refunded"]:
            raise Refused("93")
        return amount

    def _check(self, fields: dict[str, str], order: tuple[str, ...]) -> None:
        """Form, signature, merchant, and that the request is new today, in VNPAY's order."""
        optional = {"vnp_TransactionNo"}
        if any(not fields.get(name) for name in order if name not in optional):
            raise Refused("03")
        if not REQUEST_ID.fullmatch(fields["vnp_RequestId"]):
            raise Refused("03")
        if not signing.same(
            fields.get("vnp_SecureHash", ""), signing.api_signature(fields, order, self._secret)
        ):
            raise Refused("97")
        if fields["vnp_TmnCode"] != self._tmn_code:
            raise Refused("02")
        mark = f"{stamp(self._context.clock.now())[:8]}:{fields['vnp_RequestId']}"
        if mark in self._requests:
            raise Refused("94")
        self._context.journal.put("vnpay.requests", mark, {})

    def _find(self, fields: dict[str, str]) -> Json:
        payment = self._payments.get(fields["vnp_TxnRef"])
        if payment is None or payment["params"]["vnp_CreateDate"] != fields["vnp_TransactionDate"]:
            raise Refused("91")
        number = fields.get("vnp_TransactionNo", "")
        if number not in {"", "0", payment["number"]}:
            raise Refused("91")
        return payment

    def _frame(self, fields: dict[str, str], code: str) -> dict[str, str]:
        return {
            "vnp_ResponseId": secrets.token_hex(16),
            "vnp_Command": fields.get("vnp_Command", ""),
            "vnp_ResponseCode": code,
            "vnp_Message": MESSAGES[code],
            "vnp_TmnCode": fields.get("vnp_TmnCode", ""),
            "vnp_TxnRef": fields.get("vnp_TxnRef", ""),
        }

    def _signed(self, answer: dict[str, str], order: tuple[str, ...]) -> Json:
        return answer | {"vnp_SecureHash": signing.api_signature(answer, order, self._secret)}


def read_fields(body: bytes) -> dict[str, str]:
    """The texts and whole numbers of a JSON object, as texts; VNPAY's Node sample sends its amount
    as a number.
    """
    members = read_object(body).items()
    return {name: str(value) for name, value in members if type(value) in {str, int}}


def server_error() -> web.Response:
    """VNPAY's front answers a failure with a page, not with JSON."""
    return web.Response(status=500, text=SERVER_ERROR, content_type="text/html")


FAILURES = Failures(
    http_500=server_error,
    http_500_after=server_error,
    http_429=lambda: web.Response(status=429, text="Too Many Requests"),
)
