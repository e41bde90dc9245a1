"""PayPal's page: what the buyer reviews and approves, without a log-in."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from sandbox.pages import alert, button, choice, facts, html_page
from sandbox.pages import money as money_text
from sandbox.paypal import money
from sandbox.paypal.orders import WAITING
from sandbox.paypal.store import NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandbox.book import Json
    from sandbox.paypal.orders import Orders
    from sandbox.paypal.store import Store

PAGE: Final = "/checkoutnow"
TITLE: Final = "Pay with PayPal"
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
        return await self._state(order)

    async def _act(self, request: web.Request) -> web.StreamResponse:
        order = self._order(request)
        if order is None:
            return note("PayPal does not know this order.", status=404)
        form = await request.post()
        decision = str(form.get("decision", ""))
        if decision == "cancel":
            return away(order, "cancel_url")
        if decision == "abandon":
            return note("You have walked away. The page works until it expires.")
        if decision == "pay":
            decision = str(form.get("source", "approve"))
        self._orders.approve(order, decision)
        await self._store.world.book.durable()
        return await self._state(order)

    def _order(self, request: web.Request) -> Json | None:
        return self._store.table("orders").get(request.query.get("token", ""))

    async def _decide_now(self, order: Json) -> None:
        """Take the decision that needs nobody: when it is due, and again after a decline."""
        at = order["_decide_at"]
        if at is None or at - self._store.now > DECISION_WAIT_S_MAX:
            return
        await self._store.world.clock.reached(at)
        if order["_attempts"]:
            self._orders.approve(order, order["_decision"])
        await self._store.world.book.durable()

    async def _state(self, order: Json) -> web.StreamResponse:
        """The page that fits the order now, or the way on."""
        if order["_expired"] or order["status"] == "VOIDED":
            return note("This order has expired.", status=410)
        if order["status"] in WAITING:
            problem = (
                "Your last way to pay was declined. Choose another." if order["_attempts"] else ""
            )
            return html_page(TITLE, review(order, problem))
        if self._store.world.rules.of(NAME, order["_reference"]).webhook.order != "reversed":
            await self._store.world.webhooks.settled(NAME, order["_reference"], WEBHOOK_WAIT_S_MAX)
        return away(order, "return_url")


def review(order: Json, problem: str) -> str:
    """What is paid, with what, and all that the buyer can do."""
    context, unit = order["_context"], order["purchase_units"][0]
    amount = money.stored(unit["amount"])
    price = money_text(amount.minor, amount.currency)
    verb = "Continue with" if context.get("user_action") == "CONTINUE" else "Pay"
    rows = {
        "Shop": context.get("brand_name") or unit["payee"]["merchant_id"],
        "Order": unit.get("description", ""),
        "Total": price,
    }
    troubles = "".join(
        button("decision", code, label, quiet=True) for code, label in TROUBLES.items()
    )
    return (
        alert(problem)
        + facts({name: value for name, value in rows.items() if value})
        + '<form method="post">'
        + choice("source", SOURCES, "approve", "Pay with")
        + button("decision", "pay", f"{verb} {price}")
        + button("decision", "cancel", "Cancel and return to the shop", quiet=True)
        + "<h2>Try what can go wrong</h2>"
        + troubles
        + button("decision", "abandon", "Walk away without deciding", quiet=True)
        + "</form>"
    )


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
    body = f"<p>{escape(text)}</p>" if status == 200 else alert(text)  # noqa: PLR2004
    return html_page(TITLE, body, status=status)
