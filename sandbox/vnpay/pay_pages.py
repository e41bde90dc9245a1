"""The pages a shopper sees at VNPAY: choose how to pay, give the bank's code, go back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import web

from sandbox.pages import alert, facts, html_page
from sandbox.vnpay import payment_methods
from sandbox.vnpay.payments import moment, stamp
from sandbox.vnpay.signing import signed_query, verified_query
from sandbox.vnpay.texts import TEXTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.gateway import SandboxContext
    from sandbox.journal import Json
    from sandbox.vnpay.payments import Payments

PAGE = "/paymentv2/Transaction/PaymentMethod.html"
ERROR_PAGE = "/paymentv2/Payment/Error.html"
# The shopper's browser does not wait longer than this for the shop to take the IPN.
IPN_WAIT_S_MAX = 1.0
# A decision that needs nobody and comes later than this is not waited for on the page.
DECISION_WAIT_S_MAX = 1.0
# What leads to another step, and what an address says of it: never a card or an account.
STEPS = frozenset({"next", "card"})
CHOICES = ("decision", "method", "bank", "card")
DONG_MIN, DONG_MAX = 5_000, 999_999_999

# What each field of a pay link must look like.
FIELDS: Mapping[str, re.Pattern[str]] = {
    "vnp_Version": re.compile(r"2\.1\.0"),
    "vnp_Command": re.compile(r"pay"),
    "vnp_Amount": re.compile(r"[1-9][0-9]{0,11}"),
    "vnp_CurrCode": re.compile(r"VND"),
    "vnp_TxnRef": re.compile(r"[A-Za-z0-9_-]{1,100}"),
    "vnp_OrderInfo": re.compile(r"[^~*!()'<>]{1,255}"),
    "vnp_OrderType": re.compile(r"[A-Za-z0-9]{1,100}"),
    "vnp_Locale": re.compile(r"vn|en"),
    "vnp_IpAddr": re.compile(r"[0-9A-Fa-f.:]{7,45}"),
    "vnp_ReturnUrl": re.compile(r"https?://.{2,247}"),
    "vnp_CreateDate": re.compile(r"[0-9]{14}"),
}
# The current table wants vnp_ExpireDate; VNPAY's own samples and many clients go without.
LIFE_S = 15 * 60.0
EXPIRE_DATE = re.compile(r"[0-9]{14}")

# Codes of the error page. 02 for a reference that is in use is our assumption: no source names it.
ERRORS: Mapping[str, str] = {
    "02": "This transaction reference has been used / Mã giao dịch đã được sử dụng",
    "03": "The request is malformed / Dữ liệu không đúng định dạng",
    "15": "The payment session has expired / Giao dịch đã quá thời gian chờ thanh toán",
    "70": "Wrong signature / Sai chữ ký",
    "72": "Unknown website / Không tìm thấy website",
}


class PayPages:
    """Handlers of the three paths under ``/paymentv2/``."""

    def __init__(
        self, context: SandboxContext, payments: Payments, *, tmn_code: str, secret: str
    ) -> None:
        """``secret`` signs the returns and verifies the links."""
        self._context = context
        self._payments = payments
        self._tmn_code = tmn_code
        self._secret = secret

    async def enter(self, request: web.Request) -> web.StreamResponse:
        """``vpcpay.html``: check the signed link and lead on to the page, the shop or the error."""
        params = with_expiry(verified_query(request.rel_url.raw_query_string, self._secret))
        code = self._refusal(request, params)
        if code is not None or params is None:
            return error(code or "70")
        payment = self._payments.get(params["vnp_TxnRef"])
        payment = payment or self._payments.open(params)
        await self._context.journal.durable()
        if payment["decide_at"] is not None:
            return await self._wait_for_decision(payment)
        return web.HTTPFound(f"{PAGE}?token={payment['token']}")

    def _refusal(self, request: web.Request, params: Mapping[str, str] | None) -> str | None:
        """The error code for a link that is not let in, or None."""
        if request.query.get("vnp_TmnCode") != self._tmn_code:
            return "72"
        if params is None:
            return "70"
        if not well_formed(params):
            return "03"
        if self._context.clock.now() >= moment(params["vnp_ExpireDate"]):
            return "15"
        known = self._payments.get(params["vnp_TxnRef"])
        used = known is not None and (known["params"] != params or known["response"] is not None)
        return "02" if used else None

    async def show(self, request: web.Request) -> web.StreamResponse:
        """The page of one payment, or the way back once it is over."""
        payment = self._payments.by_token(request.query.get("token", ""))
        if payment is None:
            return error("03")
        if payment["response"] is not None:
            return self._back(payment)
        if self._payments.expired(payment):
            return error("15")
        decision = self._context.rules.of("vnpay", payment["txn_ref"]).decision
        if decision in {"abandon", "pending"}:
            return self._wait(payment, decision)
        return self._choice(payment, {name: request.query.get(name, "") for name in CHOICES})

    def _choice(self, payment: Json, chosen: Mapping[str, str]) -> web.StreamResponse:
        """The step that the shopper has come to: the link's own, or that behind a choice."""
        open_ways = payment_methods.ways_of(payment)
        if chosen["decision"] in STEPS:
            form = {name: value for name, value in chosen.items() if value}
            if payment_methods.paid_by(payment, {"method": open_ways[0]} | form) is None:
                return error("03")
            return self._page(payment, self._step(payment, {"method": open_ways[0]} | form))
        if len(open_ways) == 1:
            return self._page(payment, self._way(payment, open_ways[0]))
        return self._page(payment, payment_methods.ways_form(payment))

    async def decide(self, request: web.Request) -> web.StreamResponse:
        """What the shopper did on the page."""
        payment = self._payments.by_token(request.query.get("token", ""))
        if payment is None:
            return error("03")
        form = {name: str(value) for name, value in (await request.post()).items()}
        form.setdefault("method", payment_methods.ways_of(payment)[0])
        decision, paid_by = form.get("decision", ""), payment_methods.paid_by(payment, form)
        if paid_by is None:
            return error("03")
        if decision in STEPS:
            return self._go_on(request, payment, form)
        if decision == "abandon":
            return self._wait(payment, decision)
        if (
            decision == "approve"
            and form.get("otp", payment_methods.TEST_OTP) != payment_methods.TEST_OTP
        ):
            decision = "decline:13"
        if not self._payments.decide(payment, decision, paid_by) and payment["response"] is None:
            return error("15" if self._payments.expired(payment) else "03")
        return await self._leave(payment)

    def _go_on(
        self, request: web.Request, payment: Json, form: Mapping[str, str]
    ) -> web.StreamResponse:
        """To the next step, by GET, so that neither Back nor reload asks to send a form again."""
        if form["decision"] == "card" and not payment_methods.is_test_account(form):
            problem = payment_methods.text_of(payment)["wrong_account"]
            return self._page(payment, payment_methods.card_form(payment, form["method"], problem))
        chosen = {name: form[name] for name in CHOICES if name in form}
        return web.HTTPSeeOther(request.rel_url.update_query(chosen))

    async def show_error(self, request: web.Request) -> web.StreamResponse:
        """The bare error page; like VNPAY's it names no field."""
        code = request.query.get("code", "99")
        body = alert(ERRORS.get(code, "Error / Lỗi")) + facts({"code": code})
        return html_page(TEXTS["en"]["error"], body, status=200)

    async def _wait_for_decision(self, payment: Json) -> web.StreamResponse:
        """Go straight back to the shop when the decision needs nobody and comes at once."""
        wait_s = payment["decide_at"] - self._context.clock.now()
        if payment["response"] is None and wait_s > DECISION_WAIT_S_MAX:
            return web.HTTPFound(f"{PAGE}?token={payment['token']}")
        await self._context.clock.reached(payment["decide_at"])
        return await self._leave(payment)

    async def _leave(self, payment: Json) -> web.StreamResponse:
        """Back to the shop, normally after the shop has had a moment to take the IPN."""
        await self._context.journal.durable()
        if self._context.rules.of("vnpay", payment["txn_ref"]).webhook.order != "reversed":
            await self._context.webhooks.settled("vnpay", payment["txn_ref"], IPN_WAIT_S_MAX)
        return self._back(payment)

    def _back(self, payment: Json) -> web.StreamResponse:
        address = payment["params"]["vnp_ReturnUrl"]
        joint = "&" if urlsplit(address).query else "?"
        query = signed_query(self._payments.result(payment), self._secret)
        # The address is sent as it was signed; the framework must not encode it once more.
        return web.Response(status=302, headers={"Location": f"{address}{joint}{query}"})

    def _step(self, payment: Json, form: Mapping[str, str]) -> str:
        """The page behind a choice: the way's own, or that of the bank's code."""
        if form["decision"] == "next":
            return self._way(payment, form["method"])
        return payment_methods.code_form(payment, form)

    def _way(self, payment: Json, way: str) -> str:
        address = f"{self._context.settings.url}{PAGE}?token={payment['token']}"
        return payment_methods.way_form(payment, way, address)

    def _page(self, payment: Json, body: str) -> web.Response:
        title = payment_methods.text_of(payment)["title"]
        return html_page(title, body, lang=payment_methods.language(payment), brand="VNPAY")

    def _wait(self, payment: Json, decision: str) -> web.Response:
        words = payment_methods.text_of(payment)
        if decision == "pending":
            self._payments.pend(payment)
        told = words["pending" if decision == "pending" else "away"]
        return self._page(payment, f"<p>{told}</p>{payment_methods.summary(payment)}")


def with_expiry(params: dict[str, str] | None) -> dict[str, str] | None:
    """The parameters with an end of their link, if only their creation can be read."""
    if params is None or "vnp_ExpireDate" in params:
        return params
    try:
        end = moment(params.get("vnp_CreateDate", "")) + LIFE_S
    except ValueError:
        return params
    return params | {"vnp_ExpireDate": stamp(end)}


def well_formed(params: Mapping[str, str]) -> bool:
    """Whether every field of a link is there and looks right."""
    if not all(rule.fullmatch(params.get(name, "")) for name, rule in FIELDS.items()):
        return False
    if not EXPIRE_DATE.fullmatch(params.get("vnp_ExpireDate", "")):
        return False
    if "vnp_BankCode" in params and not payment_methods.is_bank_code(params["vnp_BankCode"]):
        return False
    try:
        moment(params["vnp_CreateDate"])
        moment(params["vnp_ExpireDate"])
    except ValueError:
        return False
    amount = int(params["vnp_Amount"])
    return amount % 100 == 0 and DONG_MIN <= amount // 100 <= DONG_MAX


def error(code: str) -> web.Response:
    """The way to the error page."""
    return web.Response(status=302, headers={"Location": f"{ERROR_PAGE}?code={code}"})
