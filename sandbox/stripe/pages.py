"""Stripe's pages: the hosted Checkout, and the bank's 3-D Secure challenge.

The hosted page takes the numbers of the test cards only.
"""

from __future__ import annotations

import hmac
from html import escape
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from sandbox.pages import alert, button, facts, html_page, money, tools
from sandbox.stripe.card_form import FIRST, card_fields, card_links, read_card
from sandbox.stripe.cards import CARDS
from sandbox.stripe.currencies import iso_minor
from sandbox.stripe.texts import TEXTS, said

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandbox.journal import Json
    from sandbox.stripe.intents import Intents
    from sandbox.stripe.sessions import Sessions
    from sandbox.stripe.store import Store

# A decision that needs nobody and comes later than this is not waited for on the page.
DECISION_WAIT_S_MAX: Final = 1.0
# The browser is held back this long, so that the webhook usually reaches the shop first.
WEBHOOK_WAIT_S_MAX: Final = 1.0


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
        if at is not None and at - self._store.context.clock.now() <= DECISION_WAIT_S_MAX:
            await self._store.context.clock.reached(at)
            if session["status"] == "open" and session["_decision"] == "cancel":
                return redirect(session.get("cancel_url") or session["success_url"])
            if session["status"] == "open" and session["_decision"] == "abandon":
                return words_page(session, "away")
        return await self._state(session, card=request.query.get("card", FIRST))

    async def _act(self, request: web.Request) -> web.StreamResponse:
        session = self._session(request)
        form = await request.post()
        if form.get("decision") == "abandon":
            return words_page(session, "away")
        name, wrong = read_card(form, self._store.context.clock.now())
        if wrong:
            return checkout_page(session, text_of(session)[wrong], name)
        problem = self._sessions.pay(session, CARDS[name], f"pm_{name}")
        await self._store.context.journal.durable()
        return await self._state(session, problem, name)

    async def _state(
        self, session: Json, problem: str = "", card: str = FIRST
    ) -> web.StreamResponse:
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
        return checkout_page(session, said(problem or last, language(session)), card)

    async def _challenge(self, request: web.Request) -> web.StreamResponse:
        intent = self._intent(request)
        if intent["status"] != "requires_action":
            return await self._return(intent)
        words = text_of(intent)
        card = f"•••• {intent['_card_now']}"
        body = (
            f'<p class="hint">{words["bank_hint"]}</p>'
            + facts({words["total"]: amount_of(intent), words["card"]: card})
            + '<form method="post">'
            + button("decision", "approve", words["yes"])
            + button("decision", "cancel", words["no"], quiet=True)
            + button("decision", "abandon", words["abandon"], quiet=True)
            + "</form>"
        )
        return html_page(words["bank"], body, lang=language(intent), brand=words["bank_name"])

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        intent = self._intent(request)
        decision = str((await request.post()).get("decision", ""))
        if decision == "abandon":
            return words_page(intent, "away")
        self._intents.decide(intent, decision)
        await self._store.context.journal.durable()
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
        if self._store.context.rules.of("stripe", reference).webhook.order != "reversed":
            await self._store.context.webhooks.settled("stripe", reference, WEBHOOK_WAIT_S_MAX)

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


def text_of(record: Json) -> Mapping[str, str]:
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
    return stripe_page(record, f"<p>{words[word]}</p>", status=status)


def stripe_page(record: Json, body: str, *, status: int = 200) -> web.Response:
    """A page under Stripe's name."""
    title = text_of(record)["title"]
    return html_page(title, body, lang=language(record), status=status, brand="Stripe")


def checkout_page(session: Json, problem: str, card: str = FIRST) -> web.Response:
    """The hosted page while the session is open, with the fields filled in for ``card``."""
    words = text_of(session)
    lines = {
        f"{line['quantity']} × {line['description']}": amount_of(
            line | {"locale": session.get("locale")}
        )
        for line in session["_lines"]
    }
    back = session.get("cancel_url")
    abandon = button("decision", "abandon", words["abandon"], quiet=True)
    body = (
        alert(problem)
        + facts(lines | {words["total"]: amount_of(session)})
        + '<form method="post">'
        + card_fields(card, language(session))
        + button("decision", "pay", words["pay"].format(amount=amount_of(session)))
        + "</form>"
        + (f'<p><a href="{escape(back)}">{words["back"]}</a></p>' if back else "")
        + tools(
            words["cards"],
            card_links(language(session)) + f'<form method="post">{abandon}</form>',
        )
    )
    return stripe_page(session, body)
