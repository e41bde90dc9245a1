"""The ways to pay at VNPAY: the channels that a link may name, and the forms behind them."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Final

import segno

from sandbox.pages import alert, button, choice, facts, field, money, spaced, tools
from sandbox.vnpay.texts import TEXTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandbox.journal import Json

QR: Final = "VNPAYQR"
DOMESTIC: Final = "VNBANK"
INTERNATIONAL: Final = "INTCARD"
# The card type of every domestic card and account.
ATM: Final = "ATM"
# The bank and card type that go with a way, where the shopper chose nothing more.
METHODS: Final[Mapping[str, tuple[str, str]]] = {
    DOMESTIC: ("NCB", ATM),
    QR: ("VNPAY", "QRCODE"),
    INTERNATIONAL: ("VISA", "VISA"),
}
# Some banks of VNPAY's list, by the codes that it gives them.
BANKS: Final[Mapping[str, str]] = {
    "NCB": "NCB",
    "VIETCOMBANK": "Vietcombank",
    "VIETINBANK": "VietinBank",
    "BIDV": "BIDV",
    "AGRIBANK": "Agribank",
    "SACOMBANK": "Sacombank",
    "TECHCOMBANK": "Techcombank",
    "MBBANK": "MB",
    "VPBANK": "VPBank",
    "ACB": "ACB",
    "TPBANK": "TPBank",
    "EXIMBANK": "Eximbank",
    "MSBANK": "MSB",
    "HDBANK": "HDBank",
    "SHB": "SHB",
    "OCB": "OCB",
}
CARDS: Final[Mapping[str, str]] = {"VISA": "Visa", "MASTERCARD": "Mastercard", "JCB": "JCB"}
TEST_OTP: Final = "123456"
# The card that every guide to VNPAY's test system names.
TEST_ACCOUNT: Final = "9704198526191432198"
TEST_HOLDER: Final = "NGUYEN VAN A"
TEST_ISSUED: Final = "07/15"
TROUBLES: Final = ("51", "13", "07")


def is_bank_code(code: str) -> bool:
    """Whether a link may name ``code`` as its vnp_BankCode."""
    return code in METHODS or code in BANKS


def ways_of(payment: Json) -> tuple[str, ...]:
    """The ways that a payment's link leaves open; one, where it names a bank code."""
    code = payment["params"].get("vnp_BankCode")
    return (code,) if code else tuple(METHODS)


def paid_by(payment: Json, form: Mapping[str, str]) -> str | None:
    """What the shopper pays by: a way, a bank or a card. None for what the link does not allow."""
    way = form["method"]
    if way not in ways_of(payment):
        return None
    if way == DOMESTIC:
        bank = form.get("bank", METHODS[DOMESTIC][0])
        return bank if bank in BANKS else None
    if way == INTERNATIONAL:
        card = form.get("card", METHODS[INTERNATIONAL][0])
        return card if card in CARDS else None
    return way


def bank_and_card(paid: str) -> tuple[str, str]:
    """vnp_BankCode and vnp_CardType of what was paid by; a bank's own code pays by its ATM card."""
    if paid in CARDS:
        return paid, paid
    return METHODS.get(paid, (paid, ATM))


def language(payment: Json) -> str:
    """The page's language from vnp_Locale."""
    return "en" if payment["params"]["vnp_Locale"] == "en" else "vi"


def text_of(payment: Json) -> Mapping[str, str]:
    """The page's words in the shopper's language."""
    return TEXTS[language(payment)]


def summary(payment: Json) -> str:
    """What is being paid."""
    words = text_of(payment)
    return facts(
        {
            words["order"]: payment["params"]["vnp_OrderInfo"],
            words["amount"]: amount_of(payment),
            words["number"]: payment["txn_ref"],
        },
    )


def amount_of(payment: Json) -> str:
    """What is being paid, as the shopper's language writes it."""
    return money(payment["amount"] // 100, "VND", language(payment))


def ways_form(payment: Json) -> str:
    """The first step of a link that names no bank code: how to pay."""
    words = text_of(payment)
    labels = {way: words[way] for way in METHODS}
    return (
        f'{summary(payment)}<form method="post">'
        + choice("method", labels, DOMESTIC, words["method"])
        + button("decision", "next", words["next"])
        + button("decision", "cancel", words["cancel"], quiet=True)
        + "</form>"
    )


def way_form(payment: Json, way: str, address: str) -> str:
    """The step behind a channel: the code to scan, or the card or account that pays.

    ``address`` is what the code to scan holds.
    """
    words = text_of(payment)
    if way == QR:
        code = segno.make(address, error="m", micro=False)
        picture = code.svg_inline(scale=4, border=2, light="#fff", title=words["scan"])
        return _step(payment, {"method": way}, f"<p>{words['scan']}</p><p>{picture}</p>", _end)
    return card_form(payment, way)


def card_form(payment: Json, way: str, problem: str = "") -> str:
    """Which card or account pays: what a bank asks before it sends its code."""
    words = text_of(payment)
    if way == INTERNATIONAL:
        asked = choice("card", CARDS, next(iter(CARDS)), words["cards"])
    else:
        asked = (_banks(words) if way == DOMESTIC else "") + _account(words)
    return alert(problem) + _step(payment, {"method": way}, asked, _go_on)


def code_form(payment: Json, form: Mapping[str, str]) -> str:
    """The last step: the code that the bank has sent for what ``form`` chose."""
    words = text_of(payment)
    chosen = {name: form[name] for name in ("method", "bank", "card") if name in form}
    asked = field("otp", words["otp"], TEST_OTP, inputmode="numeric")
    return _step(payment, chosen, f'{asked}<p class="hint">{words["hint"]}</p>', _end)


def is_test_account(form: Mapping[str, str]) -> bool:
    """Whether ``form`` names no other card or account than the published one."""
    return re.sub(r"[\s-]", "", form.get("account", TEST_ACCOUNT)) == TEST_ACCOUNT


def _step(
    payment: Json,
    chosen: Mapping[str, str],
    asked: str,
    buttons: Callable[[Json], str],
) -> str:
    words, way = text_of(payment), chosen["method"]
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in chosen.items()
    )
    bank = BANKS.get(chosen.get("bank", ""))
    return (
        f"{summary(payment)}<h2>{escape(bank or words.get(way) or BANKS[way])}</h2>"
        f'<form method="post">{hidden}{asked}{buttons(payment)}</form>'
    )


def _go_on(payment: Json) -> str:
    words = text_of(payment)
    return button("decision", "card", words["next"]) + button(
        "decision", "cancel", words["cancel"], quiet=True
    )


def _end(payment: Json) -> str:
    """To pay or not, with all that can go wrong at a bank."""
    words = text_of(payment)
    decline = "".join(
        button("decision", f"decline:{code}", words[code], quiet=True) for code in TROUBLES
    )
    abandon = button("decision", "abandon", words["abandon"], quiet=True)
    return (
        button("decision", "approve", words["pay"].format(amount=amount_of(payment)))
        + button("decision", "cancel", words["cancel"], quiet=True)
        + tools(words["try"], decline + abandon)
    )


def _banks(words: Mapping[str, str]) -> str:
    options = "".join(f'<option value="{code}">{BANKS[code]}</option>' for code in BANKS)
    return (
        f'<p class="field"><label for="bank">{words["bank"]}</label>'
        f'<select id="bank" name="bank">{options}</select></p>'
    )


def _account(words: Mapping[str, str]) -> str:
    return (
        field("account", words["account"], spaced(TEST_ACCOUNT), inputmode="numeric")
        + field("holder", words["holder"], TEST_HOLDER)
        + field("issued", words["issued"], TEST_ISSUED, inputmode="numeric")
        + f'<p class="hint">{words["warning"]}</p>'
    )
