"""The pages a shopper sees at MoMo: a QR code and an app link, or cards, then a code; then back.

No page takes a card number: the published test cards are offered as choices.
"""

from __future__ import annotations

import hmac
from html import escape
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

import segno
from aiohttp import web

from sandbox.momo import codes
from sandbox.momo.api import APP, ATM, CARD, CHOOSE, LIMITS, PAGE
from sandbox.momo.payments import METHOD_OF, NAME, OPEN, PAY_TYPES, link_text
from sandbox.momo.signing import RESULT
from sandbox.momo.texts import TEXTS
from sandbox.pages import alert, button, choice, facts, field, html_page, money, tools

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandbox.gateway import SandboxContext
    from sandbox.journal import Json
    from sandbox.momo.payments import Payments
    from sandbox.momo.signing import Keys

# The shopper's browser does not wait longer than this for the shop to take the IPN.
IPN_WAIT_S_MAX: Final = 1.0
# A decision that needs nobody and comes later than this is not waited for on the page.
DECISION_WAIT_S_MAX: Final = 1.0
# A page beside which another device pays looks again this often.
LOOK_AGAIN_S: Final = 10
PIN: Final = "000000"
OTP: Final = "OTP"
WRONG_CODE: Final = "decline:4100"
TROUBLES: Final = ("decline:1001", "decline:1002", "decline:1004", "decline:4001", "decline:1005")
SLOW: Final = ("slow:approve", "slow:decline:1002")
# How a shopper came to what stands for the app.
APP_WAYS: Final = ("app", "qr", "web")
METHODS: Final = ("wallet", "atm", "card")
REQUEST_TYPE_OF: Final = {"atm": ATM, "card": CARD}
# What a shopper may do on any page, whatever they chose before.
LEAVING: Final = ("cancel", "abandon")
# The test cards of each page, and what each leads to.
CARDS: Final[Mapping[str, Mapping[str, str]]] = {
    "atm": {
        "atm_ok": "approve",
        "atm_locked": "decline:1007",
        "atm_poor": "decline:1001",
        "atm_limit": "decline:1004",
    },
    "card": {"card_ok": "approve", "card_fails": "decline:1002", "card_direct": "approve"},
}
WITHOUT_CODE: Final = "card_direct"


class PayPages:
    """Handlers of the pay page and of what stands for the app."""

    def __init__(self, context: SandboxContext, payments: Payments, keys: Keys) -> None:
        """``keys`` sign the browser's return."""
        self._context = context
        self._payments = payments
        self._keys = keys

    def routes(self) -> Iterable[web.RouteDef]:
        """The two pages."""
        return [
            web.get(PAGE, self._show),
            web.post(PAGE, self._act),
            web.get(APP, self._show_app),
            web.post(APP, self._act),
        ]

    async def _show(self, request: web.Request) -> web.StreamResponse:
        payment = self._payment(request)
        if payment is None:
            return words_page("vi", "unknown", status=404)
        left = await self._left(payment)
        if left is not None:
            return left
        open_ways = ways_of(payment)
        way = open_ways[0] if len(open_ways) == 1 else request.query.get("way", "")
        if way not in open_ways:
            return page(payment, methods_form(payment))
        if way == "wallet":
            return self._qr_page(payment)
        form_of = otp_form if request.query.get("step") == "code" else cards_form
        return page(payment, form_of(payment, way))

    async def _show_app(self, request: web.Request) -> web.StreamResponse:
        payment = self._payment(request)
        if payment is None:
            return words_page("vi", "unknown", status=404)
        left = await self._left(payment)
        if left is not None:
            return left
        method = request.query.get("from", "")
        return page(payment, pin_form(payment, method if method in APP_WAYS else "app"), "app")

    async def _act(self, request: web.Request) -> web.StreamResponse:
        """What the shopper did on a page; every form carries how they pay."""
        payment = self._payment(request)
        if payment is None:
            return words_page("vi", "unknown", status=404)
        form = {name: str(value) for name, value in (await request.post()).items()}
        decision, method = form.get("decision", ""), form.get("method", "")
        if decision not in LEAVING and way_of(method) not in ways_of(payment):
            return await self._show(request)
        step = next_step(form, decision, method)
        if step:
            # By GET, so that neither Back nor reload asks to send a form again.
            return web.HTTPSeeOther(request.rel_url.update_query(step))
        if decision == "abandon":
            return words_page(payment["lang"], "away", payment)
        self._decide(payment, chosen(form, decision, method), method)
        await self._context.journal.durable()
        return await self._show(request)

    def _decide(self, payment: Json, decision: str, method: str) -> None:
        method = method if method in PAY_TYPES else "web"
        if payment["code"] not in OPEN:
            return
        if decision in SLOW:
            self._payments.leave_to_bank(payment, decision.removeprefix("slow:"), method)
        else:
            self._payments.decide(payment, decision, method)

    def _payment(self, request: web.Request) -> Json | None:
        """The payment of a link, if both halves of the link fit."""
        payment = self._payments.by_token(request.query.get("s", ""))
        if payment is None:
            return None
        expected = link_text(self._keys.partner_code, payment["order_id"])
        given = request.query.get("t", "")
        return payment if hmac.compare_digest(given.encode(), expected.encode()) else None

    async def _left(self, payment: Json) -> web.StreamResponse | None:
        """Where the shopper goes when the payment needs nothing from them, else None."""
        at = payment["decide_at"]
        if payment["code"] == codes.WAITING and at is not None:
            if at - self._context.clock.now() <= DECISION_WAIT_S_MAX:
                await self._context.clock.reached(at)
        elif payment["code"] == codes.WAITING and payment["decision"] == "abandon":
            return words_page(payment["lang"], "away", payment)
        if payment["code"] == codes.WAITING:
            return None
        if payment["code"] == codes.LINK_EXPIRED and payment["updated_at"] >= payment["expires_at"]:
            return words_page(payment["lang"], "expired", payment, status=410)
        return await self._back(payment)

    async def _back(self, payment: Json) -> web.StreamResponse:
        """Back to the shop, normally after the shop has had a moment to take the IPN."""
        await self._context.journal.durable()
        if self._context.rules.of(NAME, payment["order_id"]).webhook.order != "reversed":
            await self._context.webhooks.settled(NAME, payment["order_id"], IPN_WAIT_S_MAX)
        fields = self._payments.result(payment)
        fields["signature"] = self._keys.sign(RESULT, fields)
        address = payment["request"]["redirectUrl"]
        joint = "&" if urlsplit(address).query else "?"
        return web.Response(
            status=302, headers={"Location": f"{address}{joint}{urlencode(fields)}"}
        )

    def _link(self, payment: Json, path: str = PAGE) -> str:
        token = {"t": link_text(self._keys.partner_code, payment["order_id"])}
        return f"{path}?{urlencode(token | {'s': payment['token']})}"

    def _qr_page(self, payment: Json) -> web.Response:
        """A code for another device, a link for this one, and a wallet in the browser."""
        words = TEXTS[payment["lang"]]
        app = self._context.settings.url + self._link(payment, APP)
        code = segno.make(f"{app}&from=qr", error="m", micro=False)
        picture = code.svg_inline(scale=4, border=2, light="#fff", title=words["scan"])
        minutes = max(1, round((payment["expires_at"] - self._context.clock.now()) / 60))
        body = (
            f"{summary(payment)}<p>{words['scan']}</p><p>{picture}</p>"
            f"<p>{words['ends'].format(minutes=minutes)} {words['follow']}</p>"
            f'<p><a href="{escape(app)}&amp;from=app">{words["open_app"]}</a></p>'
            f'<p><a href="{escape(app)}&amp;from=web">{words["open_web"]}</a></p>'
            + form(button("decision", "cancel", words["cancel"], quiet=True))
        )
        answer = page(payment, body)
        answer.headers["Refresh"] = str(LOOK_AGAIN_S)
        return answer


def next_step(form: Mapping[str, str], decision: str, method: str) -> dict[str, str]:
    """What the address of the next page adds where nothing is decided yet; else empty."""
    if decision == "method" and method in METHODS:
        return {"way": method}
    needs_code = CARDS.get(method, {}).get(form.get("card", "")) == "approve"
    if decision == "card" and needs_code and form.get("card") != WITHOUT_CODE:
        return {"way": method, "step": "code"}
    return {}


def way_of(method: str) -> str:
    """The way to pay behind a form's method: a wallet has several."""
    return method if method in CARDS else "wallet"


def ways_of(payment: Json) -> tuple[str, ...]:
    """The ways to pay that the shop's requestType leaves open for this payment."""
    request_type = payment["request"]["requestType"]
    if request_type != CHOOSE:
        return (METHOD_OF.get(request_type, "wallet"),)
    return tuple(way for way in METHODS if takes(payment, way))


def takes(payment: Json, way: str) -> bool:
    """Whether ``way`` takes the amount, and can hold it where it must be held."""
    if way == "wallet":
        return True
    low, high = LIMITS[REQUEST_TYPE_OF[way]]
    return low <= payment["amount"] <= high and (payment["auto_capture"] or way != "atm")


def chosen(form_fields: Mapping[str, str], decision: str, method: str) -> str:
    """The decision behind a button: the chosen card's, or a refusal where the code is wrong."""
    if decision == "card":
        return CARDS.get(method, {}).get(form_fields.get("card", ""), "")
    right = OTP if method in CARDS else PIN
    if decision == "approve" and form_fields.get("code", right) != right:
        return WRONG_CODE
    return decision


def page(payment: Json, body: str, title: str = "title") -> web.Response:
    """A page in the payment's language."""
    lang = payment["lang"]
    return html_page(TEXTS[lang][title], body, lang=lang, brand="MoMo")


def words_page(
    lang: str, word: str, payment: Json | None = None, *, status: int = 200
) -> web.Response:
    """A page that only says something."""
    words = TEXTS[lang]
    body = f"<p>{words[word]}</p>" if status == 200 else alert(words[word])
    back = ""
    if payment is not None:
        body += summary(payment)
        address = payment["request"]["redirectUrl"]
        if word != "away":
            back = f'<p><a href="{escape(address)}">{words["back"]}</a></p>'
    return html_page(words["title"], body + back, lang=lang, status=status, brand="MoMo")


def summary(payment: Json) -> str:
    """What is being paid."""
    words = TEXTS[payment["lang"]]
    return facts(
        {
            words["order"]: payment["request"]["orderInfo"],
            words["amount"]: money(payment["amount"], "VND", payment["lang"]),
            words["number"]: payment["order_id"],
        }
    )


def form(inside: str) -> str:
    """A form that is sent to the page it stands on, whose address names the payment."""
    return f'<form method="post">{inside}</form>'


def hidden(method: str) -> str:
    """The way to pay, handed on from step to step."""
    return f'<input type="hidden" name="method" value="{method}">'


def methods_form(payment: Json) -> str:
    """Wallet, ATM card or international card, as far as they take the payment."""
    words = TEXTS[payment["lang"]]
    return summary(payment) + form(
        choice("method", {way: words[way] for way in ways_of(payment)}, "wallet", words["method"])
        + button("decision", "method", words["next"])
        + button("decision", "cancel", words["cancel"], quiet=True)
    )


def cards_form(payment: Json, method: str) -> str:
    """The test cards of one kind."""
    words = TEXTS[payment["lang"]]
    cards = {card: words[card] for card in CARDS[method]}
    return summary(payment) + form(
        hidden(method)
        + choice("card", cards, next(iter(cards)), words["cards"])
        + button("decision", "card", words["next"])
        + button("decision", "cancel", words["cancel"], quiet=True)
    )


def otp_form(payment: Json, method: str) -> str:
    """The bank's code for a card."""
    words = TEXTS[payment["lang"]]
    return code_form(payment, method, words["otp"], words["otp_hint"].format(otp=OTP), OTP)


def pin_form(payment: Json, method: str) -> str:
    """What the shopper confirms in the wallet."""
    words = TEXTS[payment["lang"]]
    return code_form(payment, method, words["pin"], words["pin_hint"].format(pin=PIN), PIN)


def code_form(payment: Json, method: str, label: str, hint: str, code: str) -> str:
    """The last step, with buttons for all that can go wrong."""
    words = TEXTS[payment["lang"]]
    pay = words["pay"].format(amount=money(payment["amount"], "VND", payment["lang"]))
    troubles = "".join(
        button("decision", each, words[each], quiet=True) for each in (*TROUBLES, *SLOW, "abandon")
    )
    return summary(payment) + form(
        hidden(method)
        + field("code", label, code)
        + f'<p class="hint">{hint}</p>'
        + button("decision", "approve", pay)
        + button("decision", "cancel", words["cancel"], quiet=True)
        + tools(words["try"], troubles)
    )
