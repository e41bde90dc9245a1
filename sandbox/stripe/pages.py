"""Stripe's pages: the hosted Checkout, and the bank's 3-D Secure challenge.

No page takes a card number: the test cards are offered as choices.
"""

from __future__ import annotations

import hmac
from html import escape
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from sandbox.pages import alert, button, choice, facts, html_page, money
from sandbox.stripe.cards import CARDS, card_for
from sandbox.stripe.currencies import iso_minor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.book import Json
    from sandbox.stripe.intents import Intents
    from sandbox.stripe.sessions import Sessions
    from sandbox.stripe.store import Store

# A decision that needs nobody and comes later than this is not waited for on the page.
DECISION_WAIT_S_MAX: Final = 1.0
# The browser is held back this long, so that the webhook usually reaches the shop first.
WEBHOOK_WAIT_S_MAX: Final = 1.0
# One choice for each kind of card; the other names in the table are the same cards again.
OFFERED: Final = (
    "card_visa", "card_mastercard", "card_visa_chargeDeclined",
    "card_visa_chargeDeclinedInsufficientFunds", "card_visa_chargeDeclinedLostCard",
    "card_chargeDeclinedExpiredCard", "card_chargeDeclinedIncorrectCvc",
    "card_chargeDeclinedProcessingError", "card_threeDSecure2Required",
    "card_authenticationRequired", "card_createDispute", "card_createDisputeInquiry",
    "card_pendingRefund", "card_refundFail",
)  # fmt: skip

TEXTS: Final = {
    "en": {
        "title": "Pay by card", "cards": "Choose a test card", "pay": "Pay {amount}",
        "back": "Back to the shop", "abandon": "Walk away without deciding",
        "away": "You have walked away. The page works until it expires.", "total": "Total",
        "expired": "This payment page has expired.", "bank": "Your bank asks: is this you?",
        "yes": "Yes, complete the payment", "no": "No, fail the payment", "email": "E-mail",
        "pending": "The bank has not answered yet. You may close this page.",
    },
    "vi": {
        "title": "Thanh toán bằng thẻ", "cards": "Chọn thẻ thử nghiệm",
        "pay": "Thanh toán {amount}",
        "back": "Quay lại cửa hàng", "abandon": "Rời đi mà không quyết định",
        "away": "Bạn đã rời đi. Trang này còn hiệu lực đến khi hết hạn.", "total": "Tổng cộng",
        "expired": "Trang thanh toán đã hết hạn.", "bank": "Ngân hàng hỏi: có phải bạn không?",
        "yes": "Đúng, hoàn tất thanh toán", "no": "Không, hủy xác thực", "email": "E-mail",
        "pending": "Ngân hàng chưa trả lời. Bạn có thể đóng trang này.",
    },
}  # fmt: skip


class Pages:
    """Handlers of ``/c/pay/…`` and ``/3ds/…``."""

    def __init__(self, store: Store, intents: Intents, sessions: Sessions) -> None:
        """Pages read the store and let the shopper act on intents and sessions."""
        self._store = store
        self._intents = intents
        self._sessions = sessions

    def routes(self) -> Iterable[web.RouteDef]:
        """The pages' paths."""
        return [
            web.get("/c/pay/{id}", self._show),
            web.post("/c/pay/{id}", self._act),
            web.get("/3ds/{id}", self._challenge),
            web.post("/3ds/{id}", self._answer),
        ]

    async def _show(self, request: web.Request) -> web.StreamResponse:
        session = self._session(request)
        at = session["_decide_at"]
        if at is not None and at - self._store.world.clock.now() <= DECISION_WAIT_S_MAX:
            await self._store.world.clock.reached(at)
            if session["status"] == "open" and session["_decision"] == "cancel":
                return redirect(session.get("cancel_url") or session["success_url"])
            if session["status"] == "open" and session["_decision"] == "abandon":
                return words_page(session, "away")
        return await self._state(session)

    async def _act(self, request: web.Request) -> web.StreamResponse:
        session = self._session(request)
        form = await request.post()
        if form.get("decision") == "abandon":
            return words_page(session, "away")
        token = f"pm_{form.get('card', '')}"
        card = card_for(token)
        if card is None:
            return checkout_page(session, "This is no test card.")
        problem = self._sessions.pay(session, card, token)
        await self._store.world.book.durable()
        return await self._state(session, problem)

    async def _state(self, session: Json, problem: str = "") -> web.StreamResponse:
        """The page that fits the session now, or the way on."""
        if session["status"] == "complete":
            await self._told(session["_reference"])
            return redirect(success_url(session))
        if session["status"] == "expired":
            return words_page(session, "expired", status=410)
        intent = self._store.table("payment_intents").get(session.get("payment_intent") or "", {})
        action = intent.get("next_action") or {}
        if intent.get("status") == "requires_action" and "redirect_to_url" in action:
            return redirect(action["redirect_to_url"]["url"])
        last = (intent.get("last_payment_error") or {}).get("message", "")
        return checkout_page(session, problem or last)

    async def _challenge(self, request: web.Request) -> web.StreamResponse:
        intent = self._intent(request)
        if intent["status"] != "requires_action":
            return await self._return(intent)
        words = text_of(intent)
        body = (
            facts({words["total"]: amount_of(intent)})
            + '<form method="post">'
            + button("decision", "approve", words["yes"])
            + button("decision", "cancel", words["no"], quiet=True)
            + button("decision", "abandon", words["abandon"], quiet=True)
            + "</form>"
        )
        return html_page(words["bank"], body, lang=language(intent))

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        intent = self._intent(request)
        decision = str((await request.post()).get("decision", ""))
        if decision == "abandon":
            return words_page(intent, "away")
        self._intents.decide(intent, decision)
        await self._store.world.book.durable()
        return await self._return(intent)

    async def _return(self, intent: Json) -> web.StreamResponse:
        """Back to where the payment came from, with Stripe's parameters."""
        back = intent.get("_return_url")
        if not back:
            return words_page(intent, "pending")
        await self._told(intent["_reference"])
        if intent.get("_session"):
            return redirect(back)
        good = intent["status"] in {"succeeded", "requires_capture", "processing"}
        query = urlencode(
            {
                "payment_intent": intent["id"],
                "payment_intent_client_secret": intent["client_secret"],
                "redirect_status": "succeeded" if good else "failed",
            }
        )
        return redirect(f"{back}{'&' if urlsplit(back).query else '?'}{query}")

    async def _told(self, reference: str) -> None:
        """Give the shop a moment to take the webhooks, unless the rule reverses the order."""
        if self._store.world.rules.of("stripe", reference).webhook.order != "reversed":
            await self._store.world.webhooks.settled("stripe", reference, WEBHOOK_WAIT_S_MAX)

    def _session(self, request: web.Request) -> Json:
        session = self._store.table("sessions").get(request.match_info["id"])
        if session is None:
            raise web.HTTPNotFound(text="Stripe knows no such page.")
        return session

    def _intent(self, request: web.Request) -> Json:
        intent = self._store.table("payment_intents").get(request.match_info["id"], {})
        secret = request.query.get("secret", "")
        if not hmac.compare_digest(intent.get("client_secret", "-").encode(), secret.encode()):
            raise web.HTTPNotFound(text="The bank knows no such challenge.")
        return intent


def redirect(address: str) -> web.Response:
    """See another page with GET, the address exactly as given."""
    return web.Response(status=303, headers={"Location": address})


def success_url(session: Json) -> str:
    """The shop's page, with the session's id where the shop asked for it."""
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def language(record: Json) -> str:
    """The page's language from the session's locale."""
    return "vi" if record.get("locale") == "vi" else "en"


def text_of(record: Json) -> dict[str, str]:
    """The page's words in the shopper's language."""
    return TEXTS[language(record)]


def amount_of(record: Json) -> str:
    """What is to be paid, for people."""
    amount = record.get("amount_total", record.get("amount"))
    return money(
        iso_minor(int(amount or 0), record["currency"]), record["currency"], language(record)
    )


def words_page(record: Json, word: str, *, status: int = 200) -> web.Response:
    """A page that only says something."""
    words = text_of(record)
    return html_page(words["title"], f"<p>{words[word]}</p>", lang=language(record), status=status)


def checkout_page(session: Json, problem: str) -> web.Response:
    """The hosted page while the session is open."""
    words = text_of(session)
    lines = {
        f"{line['quantity']} × {line['description']}": amount_of(
            line | {"locale": session.get("locale")}
        )
        for line in session["_lines"]
    }
    options = {name: f"•••• {CARDS[name].last4} {CARDS[name].label}" for name in OFFERED}
    back = session.get("cancel_url")
    body = (
        alert(problem)
        + facts(lines | {words["total"]: amount_of(session)})
        + '<form method="post">'
        + choice("card", options, "card_visa", words["cards"])
        + button("decision", "pay", words["pay"].format(amount=amount_of(session)))
        + button("decision", "abandon", words["abandon"], quiet=True)
        + "</form>"
        + (f'<p><a href="{escape(back)}">{words["back"]}</a></p>' if back else "")
    )
    return html_page(words["title"], body, lang=language(session))
