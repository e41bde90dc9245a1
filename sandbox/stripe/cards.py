"""Stripe's test payment methods: which token stands for which card, and what that card does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MESSAGES: Final[Mapping[str, str]] = {
    "card_declined": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
    "authentication_required": "Your card was declined. This transaction requires authentication.",
}


@dataclass(frozen=True, kw_only=True)
class Card:
    """One test card.

    Without a code it pays; ``magic`` cards do what they do whatever a rule says.
    """

    number: str
    brand: str = "visa"
    label: str = ""
    code: str | None = None
    decline_code: str | None = None
    authenticate: bool = False
    dispute: str | None = None
    refund: str | None = None

    @property
    def last4(self) -> str:
        """All that anybody is told of the number."""
        return self.number[-4:]

    @property
    def magic(self) -> bool:
        """Whether the card itself decides."""
        return bool(self.code or self.authenticate or self.dispute or self.refund)


def declined(number: str, decline_code: str, label: str, code: str = "card_declined") -> Card:
    """A card that is always declined."""
    return Card(number=number, code=code, decline_code=decline_code, label=label)


CARDS: Final[Mapping[str, Card]] = {
    "card_visa": Card(number="4242424242424242", label="Visa, pays"),
    "card_visa_debit": Card(number="4000056655665556", label="Visa debit, pays"),
    "card_mastercard": Card(
        number="5555555555554444", brand="mastercard", label="Mastercard, pays"
    ),
    "card_amex": Card(number="371449635398431", brand="amex", label="American Express, pays"),
    "card_discover": Card(number="6011111111111117", brand="discover", label="Discover, pays"),
    "card_diners": Card(number="3056930009020004", brand="diners", label="Diners Club, pays"),
    "card_jcb": Card(number="3566002020360505", brand="jcb", label="JCB, pays"),
    "card_unionpay": Card(number="6200000000000005", brand="unionpay", label="UnionPay, pays"),
    "card_visa_chargeDeclined": declined("4000000000000002", "generic_decline", "declined"),
    "card_chargeDeclined": declined("4000000000000002", "generic_decline", "declined"),
    "card_visa_chargeDeclinedInsufficientFunds": declined(
        "4000000000009995", "insufficient_funds", "declined, insufficient funds"
    ),
    "card_chargeDeclinedInsufficientFunds": declined(
        "4000000000009995", "insufficient_funds", "declined, insufficient funds"
    ),
    "card_visa_chargeDeclinedLostCard": declined(
        "4000000000009987", "lost_card", "declined, lost card"
    ),
    "card_visa_chargeDeclinedStolenCard": declined(
        "4000000000009979", "stolen_card", "declined, stolen card"
    ),
    "card_chargeDeclinedExpiredCard": declined(
        "4000000000000069", "expired_card", "declined, expired card", "expired_card"
    ),
    "card_chargeDeclinedIncorrectCvc": declined(
        "4000000000000127", "incorrect_cvc", "declined, wrong security code", "incorrect_cvc"
    ),
    "card_chargeDeclinedProcessingError": declined(
        "4000000000000119", "processing_error", "declined, processing error", "processing_error"
    ),
    "card_authenticationRequired": Card(
        number="4000002760003184", authenticate=True, label="3-D Secure, always"
    ),
    "card_threeDSecure2Required": Card(
        number="4000000000003220", authenticate=True, label="3-D Secure, then pays"
    ),
    "card_threeDSecureRequired": Card(
        number="4000000000003063", authenticate=True, label="3-D Secure, then pays"
    ),
    "card_createDispute": Card(
        number="4000000000000259", dispute="open", label="pays, then disputed"
    ),
    "card_createDisputeInquiry": Card(
        number="4000000000001976", dispute="inquiry", label="pays, then an inquiry"
    ),
    "card_pendingRefund": Card(
        number="4000000000007726", refund="pending", label="pays, refunds are slow"
    ),
    "card_refundFail": Card(
        number="4000000000005126", refund="failed", label="pays, refunds fail later"
    ),
}

# These decline codes are codes of their own; every other is a ``card_declined``.
OWN_CODES: Final = ("expired_card", "incorrect_cvc", "processing_error")

# The last four digits of a page's amount that decide by themselves; prices end in 00, 50, 95 or 99.
MAGIC_AMOUNTS: Final[Mapping[int, str]] = {
    7301: "decline:generic_decline",
    7302: "decline:insufficient_funds",
    7303: "decline:expired_card",
    7304: "pending",
    7305: "abandon",
}
MAGIC_MODULUS: Final = 10_000


def card_for(token: str) -> Card | None:
    """The card behind ``pm_…`` or ``ctoken_…``, or None if no test token is called that."""
    return CARDS.get(token.removeprefix("pm_").removeprefix("ctoken_"))


def card_of_number(number: str) -> str | None:
    """The name of the test card with ``number``, digits only; the plainest where some share it."""
    return next((name for name, card in CARDS.items() if card.number == number), None)


def decline_card(decision: str) -> Card:
    """The card that is declined as ``decline:<code>`` says."""
    word = decision.removeprefix("decline:")
    code = word if word in OWN_CODES else "card_declined"
    return Card(number="4242424242424242", code=code, decline_code=word)


def message_of(card: Card) -> str:
    """What Stripe tells the shopper about a decline."""
    specific = MESSAGES.get(card.decline_code or "")
    return specific or MESSAGES.get(card.code or "", MESSAGES["card_declined"])
