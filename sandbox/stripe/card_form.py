"""The card fields of the hosted page: what they look like, and what may be typed into them.

Only the published test numbers are taken. Any other number is forgotten at once: it is neither
kept nor shown again.
"""

from __future__ import annotations

import re
import time
from html import escape
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from sandbox.pages import field, spaced
from sandbox.stripe.cards import CARDS, card_of_number
from sandbox.stripe.texts import TEXTS, said

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST: Final = "card_visa"
# One card of each kind; the other names in the table are the same cards again.
OFFERED: Final = (
    FIRST, "card_mastercard", "card_amex", "card_visa_chargeDeclined",
    "card_visa_chargeDeclinedInsufficientFunds", "card_visa_chargeDeclinedLostCard",
    "card_chargeDeclinedExpiredCard", "card_chargeDeclinedIncorrectCvc",
    "card_chargeDeclinedProcessingError", "card_threeDSecure2Required",
    "card_authenticationRequired", "card_createDispute", "card_createDisputeInquiry",
    "card_pendingRefund", "card_refundFail",
)  # fmt: skip
EXPIRY: Final = re.compile(r"(0[1-9]|1[0-2])\s*/?\s*([0-9]{2})")
EXAMPLE_EXPIRY: Final = "12 / 34"
EXAMPLE_NAME: Final = "NGUYEN VAN A"
FOUR_DIGITS: Final = "amex"


def card_fields(card: str, lang: str) -> str:
    """Number, date, code and name, filled in for the test card called ``card``, if it is one."""
    words = TEXTS[lang]
    known = CARDS.get(card)
    number = spaced(known.number) if known else ""
    cvc = "1234" if known and known.brand == FOUR_DIGITS else "123"
    digits = {"inputmode": "numeric"}
    return (
        field("number", words["number"], number, maxlength="23", **digits)
        + '<div class="pair">'
        + field("expiry", words["expiry"], EXAMPLE_EXPIRY, maxlength="7", **digits)
        + field("cvc", words["cvc"], cvc, maxlength="4", **digits)
        + "</div>"
        + field("name", words["name"], EXAMPLE_NAME, maxlength="80")
        + f'<p class="hint">{words["warning"]}</p>'
    )


def card_links(lang: str) -> str:
    """Each test card as a link that fills it in."""
    items = "".join(
        f'<li><a href="?{urlencode({"card": name})}">{spaced(CARDS[name].number)}</a> '
        f"<span>{escape(said(CARDS[name].label, lang))}</span></li>"
        for name in OFFERED
    )
    return f'<p class="hint">{TEXTS[lang]["cards_hint"]}</p><ul>{items}</ul>'


def read_card(form: Mapping[str, object], now: float) -> tuple[str, str]:
    """The name of the test card that was typed, and the word of what is wrong, "" if nothing."""
    typed = {name: str(form.get(name, "")).strip() for name in ("number", "expiry", "cvc")}
    name = card_of_number(re.sub(r"[\s-]", "", typed["number"]))
    if name is None:
        return "", "wrong_number"
    if not is_open(typed["expiry"], now):
        return name, "wrong_expiry"
    length = 4 if CARDS[name].brand == FOUR_DIGITS else 3
    if not re.fullmatch(f"[0-9]{{{length}}}", typed["cvc"]):
        return name, "wrong_cvc"
    return name, ""


def is_open(expiry: str, now: float) -> bool:
    """Whether the month of ``expiry`` is not over at ``now`` (s since 1970)."""
    found = EXPIRY.fullmatch(expiry)
    if found is None:
        return False
    today = time.gmtime(now)
    return (2000 + int(found[2]), int(found[1])) >= (today.tm_year, today.tm_mon)
