"""What a shop asks for with a new order, or a change of one: read, and refused as by PayPal."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from sandbox.paypal import money
from sandbox.paypal.errors import invalid, refused
from sandbox.paypal.reading import member, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.journal import Json

REFERENCE_MAX: Final = 256
TEXT_MAX: Final = 127
SOFT_DESCRIPTOR_MAX: Final = 22
BREAKDOWN_ADDS: Final = ("item_total", "tax_total", "shipping", "handling", "insurance")
BREAKDOWN_TAKES: Final = ("shipping_discount", "discount")
UNIT_TEXTS: Final = {
    "reference_id": REFERENCE_MAX, "custom_id": TEXT_MAX, "invoice_id": TEXT_MAX,
    "description": TEXT_MAX, "soft_descriptor": SOFT_DESCRIPTOR_MAX,
}  # fmt: skip
# What the context may say; without a word it is the first.
CONTEXT_WORDS: Final = {
    "user_action": ("CONTINUE", "PAY_NOW"),
    "shipping_preference": ("GET_FROM_FILE", "NO_SHIPPING", "SET_PROVIDED_ADDRESS"),
    "landing_page": ("NO_PREFERENCE", "LOGIN", "GUEST_CHECKOUT", "BILLING"),
    "payment_method_preference": ("UNRESTRICTED", "IMMEDIATE_PAYMENT_REQUIRED"),
}


def read_order(body: Json) -> tuple[str, Json]:
    """The intent and the one purchase unit of a new order. Raises PaypalError."""
    intent = read_intent(body.get("intent"))
    units = body.get("purchase_units")
    if not isinstance(units, list) or not units or not isinstance(units[0], dict):
        raise invalid("MISSING_REQUIRED_PARAMETER", "/purchase_units")
    if len(units) > 1:
        # PayPal takes ten; shops with one payee need one, and so it is here.
        raise invalid("INVALID_ARRAY_MAX_ITEMS", "/purchase_units")
    read_unit(units[0])
    known = (*UNIT_TEXTS, "amount", "items", "shipping")
    return intent, {name: units[0][name] for name in known if name in units[0]}


def read_intent(intent: object) -> str:
    """What the shop will do with an approval. Raises PaypalError."""
    if intent is None:
        raise invalid("MISSING_REQUIRED_PARAMETER", "/intent")
    if intent not in ("CAPTURE", "AUTHORIZE"):
        raise invalid("INVALID_PARAMETER_VALUE", "/intent")
    return str(intent)


def read_unit(unit: Json) -> None:
    """Raises PaypalError for a purchase unit that PayPal does not take."""
    for name, length in UNIT_TEXTS.items():
        text(unit, name, length)
    node = unit.get("amount")
    total = money.read(node, "/purchase_units/@reference_id=='default'/amount")
    parts = node.get("breakdown") if isinstance(node, dict) else None
    if parts is not None and not isinstance(parts, dict):
        raise invalid("INVALID_PARAMETER_SYNTAX", "/breakdown")
    sums = {
        name: money.read(each, f"/breakdown/{name}", zero=True).value
        for name, each in (parts or {}).items()
        if name in (*BREAKDOWN_ADDS, *BREAKDOWN_TAKES)
    }
    if parts:
        plus = sum(sums.get(name, 0) for name in BREAKDOWN_ADDS)
        minus = sum(sums.get(name, 0) for name in BREAKDOWN_TAKES)
        if plus - minus != total.value:
            raise refused("AMOUNT_MISMATCH")
    read_items(unit.get("items"), sums)


def read_items(items: object, sums: Mapping[str, Decimal]) -> None:
    """Raises PaypalError for items that do not add up to what the breakdown says of them."""
    if not items:
        return
    if not isinstance(items, list) or not all(isinstance(each, dict) for each in items):
        raise invalid("INVALID_PARAMETER_SYNTAX", "/items")
    for total, part in (("item_total", "unit_amount"), ("tax_total", "tax")):
        is_given = any(part in item for item in items)
        if total not in sums and (is_given or total == "item_total"):
            raise refused(f"{total.upper()}_REQUIRED")
        if is_given and sum(line(item, part) for item in items) != sums[total]:
            raise refused(f"{total.upper()}_MISMATCH")


def line(item: Json, part: str) -> Decimal:
    """What an item adds, by its quantity. Raises PaypalError."""
    quantity = item.get("quantity")
    if not isinstance(quantity, str) or not quantity.isdecimal() or not item.get("name"):
        raise invalid("MISSING_REQUIRED_PARAMETER", "/items/quantity")
    if part not in item:
        return Decimal(0)
    return money.read(item[part], f"/items/{part}", zero=True).value * int(quantity)


def read_source(body: Json) -> Json:
    """The way to pay that a new order names, which can only be PayPal's own. Raises PaypalError."""
    source = member(body, "payment_source")
    if source.keys() - {"paypal"}:
        raise refused("PAYMENT_SOURCE_NOT_SUPPORTED")
    return source


def read_context(body: Json) -> Json:
    """Where the buyer goes back to, from the new place or the old one. Raises PaypalError."""
    wallet = member(read_source(body), "paypal")
    context = member(wallet, "experience_context") or member(body, "application_context")
    for name in ("return_url", "cancel_url"):
        url = context.get(name)
        if url is not None and not str(url).startswith(("http://", "https://")):
            raise invalid("INVALID_PARAMETER_SYNTAX", f"/{name}")
    for name, words in CONTEXT_WORDS.items():
        if context.get(name, words[0]) not in words:
            raise invalid("INVALID_PARAMETER_VALUE", f"/{name}")
    text(context, "brand_name", TEXT_MAX)
    names = ("return_url", "cancel_url", "brand_name", "user_action", "locale")
    return {name: context[name] for name in names if name in context}
