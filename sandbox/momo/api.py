"""``/v2/gateway/api/…``: create, query, refund, refund/query and confirm, all JSON by POST."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from aiohttp import web

from sandbox.faults import Call, Failures
from sandbox.json_object import read_object
from sandbox.momo import codes, signing
from sandbox.momo.payments import NAME, Payments, link_text, milliseconds

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from sandbox.gateway import SandboxContext
    from sandbox.journal import Json
    from sandbox.momo.signing import Keys

PREFIX: Final = "/v2/gateway/api"
PAGE: Final = "/v2/gateway/pay"
APP: Final = "/v2/gateway/app"
REMEMBER_S: Final = 31 * 24 * 3600
# MoMo itself calls the second one, and takes no letters beyond ASCII and no spaces in it.
ADDRESSES: Final[Mapping[str, re.Pattern[str]]] = {
    "redirectUrl": re.compile(r"https?://.+"),
    "ipnUrl": re.compile(r"https?://[!-~]+"),
}
ORDER_ID: Final = re.compile(r"[0-9a-zA-Z]([-_.]*[0-9a-zA-Z]+)*")
REQUEST_TYPES: Final = ("captureWallet", "payWithATM", "payWithCC", "payWithMethod", "payWithVTS")
ATM: Final = "payWithATM"
CARD: Final = "payWithCC"
CHOOSE: Final = "payWithMethod"
# Lowest and highest amount in đồng by the way to pay.
LIMITS: Final[Mapping[str, tuple[int, int]]] = {
    ATM: (10_000, 50_000_000),
    CARD: (1_000, 10_000_000),
}
LIMITS_DEFAULT: Final = (1_000, 50_000_000)
# Longest text of each field of a request.
TEXTS: Final[Mapping[str, int]] = {
    "partnerCode": 50, "requestId": 50, "orderId": 200, "orderInfo": 255, "redirectUrl": 2048,
    "ipnUrl": 2048, "requestType": 50, "extraData": 1000, "description": 255,
}  # fmt: skip
LANGUAGES: Final = ("vi", "en")
MAY_BE_EMPTY: Final = ("extraData", "description")
AMOUNTS: Final = ("amount", "transId")
DIGITS_MAX: Final = 18


class Refused(Exception):
    """The request ends with one of MoMo's result codes, other than success."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Api:
    """The five endpoints. Money is moved only under a requestId that was never seen."""

    def __init__(
        self, context: SandboxContext, payments: Payments, keys: Keys, *, sign_answers: str
    ) -> None:
        """``sign_answers``: ``short`` or ``long`` signs create's answer, "" leaves it unsigned."""
        self._context = context
        self._payments = payments
        self._keys = keys
        self._sign_answers = sign_answers
        self._running: set[str] = set()

    def routes(self) -> Iterable[web.RouteDef]:
        """The paths of MoMo's API."""
        return [
            web.post(f"{PREFIX}/create", self._handler(self._create, signing.CREATE, once=True)),
            web.post(f"{PREFIX}/query", self._handler(self._query, signing.QUERY)),
            web.post(f"{PREFIX}/refund", self._handler(self._refund, signing.REFUND, once=True)),
            web.post(f"{PREFIX}/refund/query", self._handler(self._query_refund, signing.QUERY)),
            web.post(f"{PREFIX}/confirm", self._handler(self._confirm, signing.CONFIRM, once=True)),
        ]

    def _handler(
        self, act: Callable[[Json], Json], fields: tuple[str, ...], *, once: bool = False
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        operation = act.__name__.strip("_")

        async def handle(request: web.Request) -> web.StreamResponse:
            if request.content_type != "application/json":
                return web.json_response({"error": "Unsupported Media Type"}, status=415)
            body = read_object(await request.read())
            call = Call(gateway=NAME, operation=operation, reference=self._reference(body))

            async def work() -> web.Response:
                try:
                    self._check(body, fields)
                    return await (
                        self._once(operation, act, body) if once else self._run(act, body)
                    )
                except Refused as refused:
                    return self._answer(self._frame(body, refused.code))

            return await self._context.faults.perform(request, call, work, FAILURES)

        return handle

    def _reference(self, body: Json) -> str | None:
        """The payment that a call is about: the shop's orderId of the purchase."""
        number, order_id = body.get("transId"), body.get("orderId")
        if number is not None:
            payment = self._payments.by_number(int(number)) if is_number(number) else None
            return payment["order_id"] if payment else None
        if not isinstance(order_id, str) or not order_id:
            return None
        refund = self._context.journal.table("momo.refunds").get(order_id)
        return refund["of"] if refund else order_id

    def _check(self, body: Json, fields: tuple[str, ...]) -> None:
        """Form, partner and signature, in this order. Raises Refused."""
        if not body:
            raise Refused(codes.BAD_FORMAT)
        for name in fields:
            if name in MAY_BE_EMPTY:
                body.setdefault(name, "")
            check_field(name, body.get(name))
        if body.get("lang", "vi") not in LANGUAGES:
            raise Refused(codes.BAD_FORMAT)
        if body["partnerCode"] != self._keys.partner_code:
            raise Refused(codes.BAD_PARTNER)
        if not self._keys.signed(fields, body):
            raise Refused(codes.BAD_SIGNATURE)

    async def _run(self, act: Callable[[Json], Json], body: Json) -> web.Response:
        return self._answer(act(body))

    async def _once(self, operation: str, act: Callable[[Json], Json], body: Json) -> web.Response:
        """Do what the requestId asks for once: 422 while it runs, the same answer when it is final,
        code 40 otherwise.
        """
        request_id = body["requestId"]
        if request_id in self._running:
            return self._answer(self._frame(body, codes.RUNNING), status=422)
        known = self._context.journal.table("momo.requests").get(request_id)
        if known is not None and self._context.clock.now() - known["at"] < REMEMBER_S:
            if known["operation"] != operation or not known["final"]:
                raise Refused(codes.DUPLICATE_REQUEST)
            return self._answer(known["answer"], status=201)
        self._running.add(request_id)
        try:
            return await self._remember(operation, act, body)
        finally:
            self._running.discard(request_id)

    async def _remember(
        self, operation: str, act: Callable[[Json], Json], body: Json
    ) -> web.Response:
        try:
            answer = act(body)
        except Refused as refused:
            answer = self._frame(body, refused.code)
        record = {
            "operation": operation,
            "at": self._context.clock.now(),
            "final": answer["resultCode"] in codes.FINAL,
            "answer": answer,
        }
        self._context.journal.put("momo.requests", body["requestId"], record)
        # Until it is on the disk the request counts as running.
        await self._context.journal.durable()
        return self._answer(answer)

    def _create(self, body: Json) -> Json:
        if not ORDER_ID.fullmatch(body["orderId"]) or body["requestType"] not in REQUEST_TYPES:
            raise Refused(codes.BAD_FORMAT)
        if not isinstance(body.get("autoCapture", True), bool):
            raise Refused(codes.BAD_FORMAT)
        if not all(rule.fullmatch(body[name]) for name, rule in ADDRESSES.items()):
            raise Refused(codes.BAD_FORMAT)
        if body["requestType"] == ATM and not body.get("autoCapture", True):
            # An ATM card cannot hold money.
            raise Refused(codes.INAPPLICABLE)
        low, high = LIMITS.get(body["requestType"], LIMITS_DEFAULT)
        self._require_amount(body, low, high)
        self._require_new_order(body)
        payment = self._payments.open({name: body[name] for name in KEPT if name in body})
        return self._link(body, payment)

    def _link(self, body: Json, payment: Json) -> Json:
        token = {"t": link_text(self._keys.partner_code, payment["order_id"])}
        query = urlencode(token | {"s": payment["token"]})
        base = self._context.settings.url
        answer = self._frame(body, codes.SUCCESS) | {"payUrl": f"{base}{PAGE}?{query}"}
        if body["requestType"] not in {ATM, CARD}:
            app = f"{base}{APP}?{query}"
            answer |= {"deeplink": f"{app}&from=app", "qrCodeUrl": f"{app}&from=qr"}
            answer |= {"applink": f"{app}&from=app", "deeplinkMiniApp": f"{app}&from=app"}
        names = {"short": signing.ANSWER_SHORT, "long": signing.ANSWER_LONG}.get(self._sign_answers)
        return answer | ({"signature": self._keys.sign(names, answer)} if names else {})

    def _query(self, body: Json) -> Json:
        payment = self._found(body["orderId"])
        request = payment["request"]
        return self._frame(body, payment["code"]) | {
            "amount": payment["amount"],
            "extraData": request["extraData"],
            "transId": payment["trans_id"],
            "payType": payment["pay_type"],
            "refundTrans": [refund_entry(each) for each in payment["refunds"]],
            "lastUpdated": milliseconds(payment["updated_at"]),
            "promotionInfo": [],
        }

    def _refund(self, body: Json) -> Json:
        payment = self._payments.by_number(int(body["transId"]))
        if payment is None:
            raise Refused(codes.NOT_FOUND)
        low = 10_000 if payment["pay_type"] == "napas" else 1_000
        self._require_amount(body, low, LIMITS_DEFAULT[1])
        self._require_new_order(body)
        if payment["code"] != codes.SUCCESS:
            raise Refused(codes.NOT_REFUNDABLE)
        amount = int(body["amount"])
        if amount > payment["amount"] - self._payments.refunded(payment):
            raise Refused(codes.REFUND_REFUSED)
        rule = self._context.rules.current(NAME, payment["order_id"])
        code = codes.magic_refund(amount) or codes.refund_answer(rule.decision) or codes.SUCCESS
        refund = self._payments.refund(payment, body["orderId"], amount, code)
        return self._frame(body, code) | {"transId": refund["trans_id"]}

    def _query_refund(self, body: Json) -> Json:
        """A refund by its own orderId, or all of a purchase by the purchase's."""
        link = self._context.journal.table("momo.refunds").get(body["orderId"])
        payment = self._found(link["of"] if link else body["orderId"])
        wanted = [
            each
            for each in payment["refunds"]
            if link is None or each["order_id"] == body["orderId"]
        ]
        code = wanted[0]["code"] if link else codes.SUCCESS
        return self._frame(body, code) | {
            "refundTrans": [refund_entry(each) for each in wanted],
            **({"amount": wanted[0]["amount"], "transId": wanted[0]["trans_id"]} if link else {}),
        }

    def _confirm(self, body: Json) -> Json:
        payment = self._found(body["orderId"])
        if body["requestType"] not in {"capture", "cancel"}:
            raise Refused(codes.BAD_FORMAT)
        if int(body["amount"]) != payment["amount"]:
            raise Refused(codes.OUT_OF_RANGE)
        if payment["code"] != codes.AUTHORIZED:
            raise Refused(codes.INAPPLICABLE)
        self._payments.confirm(payment, capture=body["requestType"] == "capture")
        answer = self._frame(body, codes.SUCCESS)
        return answer | {"transId": payment["trans_id"], "requestType": body["requestType"]}

    def _found(self, order_id: str) -> Json:
        payment = self._payments.get(order_id)
        if payment is None:
            raise Refused(codes.NOT_FOUND)
        return payment

    def _require_amount(self, body: Json, low: int, high: int) -> None:
        if not low <= int(body["amount"]) <= high:
            raise Refused(codes.OUT_OF_RANGE)

    def _require_new_order(self, body: Json) -> None:
        order_id = body["orderId"]
        used = self._payments.get(order_id) or self._context.journal.table("momo.refunds").get(
            order_id
        )
        if used is not None:
            raise Refused(codes.DUPLICATE_ORDER)

    def _frame(self, body: Json, code: int) -> Json:
        echoed = {name: body[name] for name in ECHOED if isinstance(body.get(name), (str, int))}
        if is_number(echoed.get("amount")):
            echoed["amount"] = int(echoed["amount"])
        lang = "en" if body.get("lang") == "en" else "vi"
        return echoed | {
            "responseTime": milliseconds(self._context.clock.now()),
            "message": codes.message(code, lang),
            "resultCode": code,
        }

    def _answer(self, answer: Json, status: int | None = None) -> web.Response:
        refused = answer["resultCode"] in REQUEST_IS_WRONG
        return web.json_response(answer, status=status or (400 if refused else 200))


ECHOED: Final = ("partnerCode", "orderId", "requestId", "amount")
KEPT: Final = (
    "partnerCode", "orderId", "requestId", "amount", "orderInfo", "redirectUrl", "ipnUrl",
    "requestType", "extraData", "lang", "autoCapture",
)  # fmt: skip
# MoMo's 4xx: the request, not the payment, is what is wrong.
REQUEST_IS_WRONG: Final = (11, 13, 20, 21, 22, 40, 41, 42, 47)


def refund_entry(refund: Json) -> Json:
    """One entry of refundTrans."""
    return {
        "orderId": refund["order_id"],
        "amount": refund["amount"],
        "resultCode": refund["code"],
        "transId": refund["trans_id"],
        "createdTime": milliseconds(refund["created_at"]),
    }


def is_number(value: object) -> bool:
    """A whole number, as a JSON number or as its digits."""
    text = str(value) if type(value) in {int, str} else ""
    return text.isascii() and text.isdecimal() and len(text) <= DIGITS_MAX


def check_field(name: str, value: object) -> None:
    """Raises Refused with MoMo's code for a field that is missing or malformed."""
    if name in AMOUNTS:
        if not is_number(value):
            raise Refused(codes.BAD_AMOUNT if name == "amount" else codes.BAD_FORMAT)
        return
    if not isinstance(value, str) or len(value) > TEXTS[name]:
        raise Refused(codes.BAD_FORMAT)
    if not value and name not in MAY_BE_EMPTY:
        raise Refused(codes.BAD_FORMAT)


def server_error() -> web.Response:
    """MoMo's front answers a failure without a result code."""
    return web.json_response({"status": 500, "error": "Internal Server Error"}, status=500)


FAILURES: Final = Failures(
    http_500=server_error,
    http_500_after=server_error,
    http_429=lambda: web.json_response({"status": 429, "error": "Too Many Requests"}, status=429),
)
