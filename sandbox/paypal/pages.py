"""PayPal's pages: the buyer logs in, reviews what is paid, and approves it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from sandbox.pages import alert, button, choice, facts, field, html_page, tools
from sandbox.pages import money as money_text
from sandbox.paypal import money
from sandbox.paypal.orders import WAITING
from sandbox.paypal.store import NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandbox.journal import Json
    from sandbox.paypal.orders import Orders
    from sandbox.paypal.store import Store

PAGE: Final = "/checkoutnow"
TITLE: Final = "Pay with PayPal"
LOG_IN: Final = "Log in to PayPal"
REVIEW: Final = "review"
# The test buyer; any other address and password are taken too.
BUYER_EMAIL: Final = "buyer@sandbox.example"
BUYER_PASSWORD: Final = "sandbox-buyer"  # noqa: S105 - filled in for everybody, and not checked
# A decision that needs nobody and comes later than this is not waited for on the page.
DECISION_WAIT_S_MAX: Final = 1.0
# The browser is held back this long, so that the webhook usually reaches the shop first.
WEBHOOK_WAIT_S_MAX: Final = 1.0
# What the buyer pays with, and what the shop's capture then meets.
SOURCES: Final[Mapping[str, str]] = {
    "approve": "PayPal balance",
    "decline:INSTRUMENT_DECLINED": "Test card that will be declined",
}
TROUBLES: Final[Mapping[str, str]] = {
    "pending": "Pay, and PayPal reviews the payment",
    "decline:DECLINED": "Pay, and the capture is declined",
    "decline:TRANSACTION_REFUSED": "Pay, and PayPal refuses for good",
}


class Pages:
    """Handlers of ``/checkoutnow``."""

    def __init__(self, store: Store, orders: Orders) -> None:
        """The page reads orders and lets the buyer approve them."""
        self._store = store
        self._orders = orders

    def routes(self) -> Iterable[web.RouteDef]:
        """The page."""
        return [web.get(PAGE, self._show), web.post(PAGE, self._act)]

    async def _show(self, request: web.Request) -> web.StreamResponse:
        order = self._order(request)
        if order is None:
            return note("PayPal does not know this order.", status=404)
        await self._decide_now(order)
        decision = order["_decision"]
        if order["status"] in WAITING and decision == "cancel":
            return away(order, "cancel_url")
        if order["status"] in WAITING and decision == "abandon":
            return note("You have walked away. The page works until it expires.")
        return await self._state(order, request.query.get("step", ""))

    async def _act(self, request: web.Request) -> web.StreamResponse:
        order = self._order(request)
        if order is None:
            return note("PayPal does not know this order.", status=404)
        form = await request.post()
        decision = str(form.get("decision", ""))
        if decision == "log_in":
            return logged_in(order, str(form.get("email", "")), str(form.get("password", "")))
        if decision == "cancel":
            return away(order, "cancel_url")
        if decision == "abandon":
            return note("You have walked away. The page works until it expires.")
        if decision == "pay":
            decision = str(form.get("source", "approve"))
        self._orders.approve(order, decision)
        await self._store.context.journal.durable()
        return await self._state(order, REVIEW)

    def _order(self, request: web.Request) -> Json | None:
        return self._store.table("orders").get(request.query.get("token", ""))

    async def _decide_now(self, order: Json) -> None:
        """Take the decision that needs nobody: when it is due, and again after a decline."""
        at = order["_decide_at"]
        if at is None or at - self._store.now > DECISION_WAIT_S_MAX:
            return
        await self._store.context.clock.reached(at)
        if order["_attempts"]:
            self._orders.approve(order, order["_decision"])
        await self._store.context.journal.durable()

    async def _state(self, order: Json, step: str) -> web.StreamResponse:
        """The page that fits the order now, or the way on."""
        if order["_expired"] or order["status"] == "VOIDED":
            return note("This order has expired.", status=410)
        if order["status"] in WAITING:
            if order["_attempts"]:
                return page(review(order, "Your last way to pay was declined. Choose another."))
            return page(review(order, "")) if step == REVIEW else log_in_page(order, BUYER_EMAIL)
        if self._store.context.rules.of(NAME, order["_reference"]).webhook.order != "reversed":
            await self._store.context.webhooks.settled(
                NAME, order["_reference"], WEBHOOK_WAIT_S_MAX
            )
        return away(order, "return_url")


def log_in_page(order: Json, email: str, problem: str = "") -> web.Response:
    """The first step: who pays."""
    return page(
        alert(problem)
        + what_is_paid(order)
        + '<form method="post">'
        + field("email", "E-mail", email, kind="email", maxlength="254")
        + field("password", "Password", BUYER_PASSWORD, kind="password", maxlength="100")
        + '<p class="hint">The test buyer is filled in. Never type a real password here.</p>'
        + button("decision", "log_in", "Log in")
        + button("decision", "cancel", "Cancel and return to the shop", quiet=True)
        + "</form>",
        LOG_IN,
    )


def logged_in(order: Json, email: str, password: str) -> web.Response:
    """On to the review, if both fields are filled in."""
    if "@" not in email or not password:
        return log_in_page(order, email, "Check your e-mail and password, then try again.")
    query = urlencode({"token": order["id"], "step": REVIEW})
    return web.Response(status=303, headers={"Location": f"{PAGE}?{query}"})


def review(order: Json, problem: str) -> str:
    """The second step: what is paid, with what, and all that the buyer can do."""
    verb = "Continue with" if order["_context"].get("user_action") == "CONTINUE" else "Pay"
    troubles = "".join(
        button("decision", code, label, quiet=True) for code, label in TROUBLES.items()
    )
    return (
        alert(problem)
        + what_is_paid(order)
        + '<form method="post">'
        + choice("source", SOURCES, "approve", "Pay with")
        + button("decision", "pay", f"{verb} {price_of(order)}")
        + button("decision", "cancel", "Cancel and return to the shop", quiet=True)
        + tools(
            "Sandbox: try what can go wrong",
            troubles + button("decision", "abandon", "Walk away without deciding", quiet=True),
        )
        + "</form>"
    )


def what_is_paid(order: Json) -> str:
    """The shop, the order and the sum."""
    context, unit = order["_context"], order["purchase_units"][0]
    rows = {
        "Shop": context.get("brand_name") or unit["payee"]["merchant_id"],
        "Order": unit.get("description", ""),
        "Total": price_of(order),
    }
    return facts({name: value for name, value in rows.items() if value})


def price_of(order: Json) -> str:
    """What is to be paid, for people."""
    amount = money.stored(order["purchase_units"][0]["amount"])
    return money_text(amount.minor, amount.currency)


def page(body: str, title: str = TITLE, *, status: int = 200) -> web.Response:
    """A page under PayPal's name."""
    return html_page(title, body, status=status, brand="PayPal")


def away(order: Json, name: str) -> web.Response:
    """Back to the shop, with the order's id and, after an approval, the buyer's."""
    address = order["_context"].get(name)
    if not address:
        return note("You can close this page.")
    query = {"token": order["id"]}
    if name == "return_url":
        query["PayerID"] = order["_payer_id"]
    joint = "&" if urlsplit(address).query else "?"
    return web.Response(status=302, headers={"Location": f"{address}{joint}{urlencode(query)}"})


def note(text: str, *, status: int = 200) -> web.Response:
    """A page that only says something."""
    body = f"<p>{escape(text)}</p>" if status == 200 else alert(text)
    return page(body, status=status)
