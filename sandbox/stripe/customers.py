"""Customers, the payment methods that they keep, and the tokens that stand for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sandbox.stripe.attempts import card_shown
from sandbox.stripe.cards import card_for
from sandbox.stripe.errors import bad_value, missing, no_such, refused
from sandbox.stripe.objects import INVOICE_SETTINGS, new_id, nothing
from sandbox.stripe.params import merged, need

if TYPE_CHECKING:
    from sandbox.journal import Json
    from sandbox.stripe.store import Store

KEPT: Final = (
    "address", "business_name", "description", "email", "individual_name", "invoice_prefix",
    "name", "next_invoice_sequence", "phone", "preferred_locales", "shipping", "tax_exempt",
)  # fmt: skip

TOKEN: Final = nothing(
    "expires_at mandate_data payment_intent payment_method_options return_url setup_future_usage "
    "setup_intent shipping"
) | {"object": "confirmation_token", "livemode": False, "use_stripe_sdk": False}


class Customers:
    """Everything that changes a customer, or a way of theirs to pay."""

    def __init__(self, store: Store) -> None:
        """Both are only kept; what they pay is the intents' business."""
        self._store = store

    def create(self, params: Json) -> Json:
        """``POST /v1/customers``."""
        customer = new_customer(self._store, kept(params), params.get("metadata"))
        if params.get("payment_method"):
            self.attach(self.method(params["payment_method"]), {"customer": customer["id"]})
        return customer

    def update(self, customer: Json, params: Json) -> Json:
        """``POST /v1/customers/{id}``."""
        if customer.get("deleted"):
            raise no_such("customer", customer["id"])
        customer.update(kept(params))
        customer["metadata"] = merged(customer["metadata"], params.get("metadata"))
        self._store.put("customers", customer)
        return customer

    def delete(self, customer_id: str) -> Json:
        """``DELETE /v1/customers/{id}``: the id stays known as that of somebody who has gone."""
        self._store.get("customers", customer_id)
        gone = {"id": customer_id, "created": self._store.now, "deleted": True}
        self._store.put("customers", gone)
        return self.shown(customer_id)

    def shown(self, customer_id: str) -> Json:
        """``GET /v1/customers/{id}``."""
        customer = self._store.get("customers", customer_id)
        if customer.get("deleted"):
            return {"id": customer_id, "object": "customer", "deleted": True}
        return self._store.shown("customers", customer)

    def create_method(self, params: Json) -> Json:
        """``POST /v1/payment_methods``: a card, by one of Stripe's test tokens."""
        if need(params, "type") != "card":
            raise bad_value("type", "Only cards are emulated here.")
        card = params.get("card") or {}
        if "number" in card:
            raise refused("Card numbers may not be sent to the API: use a test token.")
        if not isinstance(card.get("token"), str):
            raise missing("card[token]")
        name = f"pm_card_{card['token'].removeprefix('tok_')}"
        if card_for(name) is None:
            raise no_such("token", card["token"], "card[token]", status=400)
        return self._new_method(name, params)

    def update_method(self, method: Json, params: Json) -> Json:
        """``POST /v1/payment_methods/{id}``."""
        method.update({n: params[n] for n in ("billing_details", "allow_redisplay") if n in params})
        method["metadata"] = merged(method["metadata"], params.get("metadata"))
        self._store.put("payment_methods", method)
        return method

    def method(self, method_id: str) -> Json:
        """A payment method that was made here; a test method makes one. Raises StripeError."""
        made = self._store.table("payment_methods").get(method_id)
        if made is not None:
            return made
        if not method_id.startswith("pm_") or card_for(method_id) is None:
            raise no_such("PaymentMethod", method_id)
        return self._new_method(method_id, {})

    def attach(self, method: Json, params: Json) -> Json:
        """``POST /v1/payment_methods/{id}/attach``."""
        customer = need(params, "customer")
        check_customer(self._store, customer)
        if method.get("customer") not in {None, customer}:
            raise refused("The payment method is already attached to another customer.")
        return self._keep_for(method, customer)

    def detach(self, method: Json) -> Json:
        """``POST /v1/payment_methods/{id}/detach``."""
        if not method.get("customer"):
            raise refused("The payment method is not attached to a customer.")
        return self._keep_for(method, None)

    def create_token(self, params: Json) -> Json:
        """``POST /v1/test_helpers/confirmation_tokens``: wrap a payment method."""
        name = card_behind(self._store, need(params, "payment_method"))
        if card_for(name) is None:
            raise no_such("PaymentMethod", name, "payment_method", status=400)
        token: Json = {"id": new_id("ctoken_"), "created": self._store.now, "_card": name}
        self._store.put("confirmation_tokens", token)
        return self.token(token["id"])

    def token(self, token_id: str) -> Json:
        """``GET /v1/confirmation_tokens/{id}``."""
        token = self._store.table("confirmation_tokens").get(token_id, {})
        card = card_for(token.get("_card", ""))
        if card is None:
            raise no_such("ConfirmationToken", token_id)
        return TOKEN | {
            "id": token_id,
            "created": token["created"],
            "payment_method_preview": {"type": "card", "card": card_shown(card)},
        }

    def _keep_for(self, method: Json, customer: str | None) -> Json:
        method["customer"] = customer
        self._store.put("payment_methods", method)
        return method

    def _new_method(self, name: str, params: Json) -> Json:
        card = card_for(name)
        assert card is not None
        method: Json = {
            "id": new_id("pm_"),
            "card": card_shown(card),
            "created": self._store.now,
            "metadata": merged({}, params.get("metadata")),
            "_card": name,
        }
        return self.update_method(method, params)


def new_customer(store: Store, facts: Json, metadata: Json | None = None) -> Json:
    """A customer with ``facts`` about them, in the journal."""
    customer: Json = {
        "id": new_id("cus_"),
        "created": store.now,
        "metadata": merged({}, metadata),
        **facts,
    }
    store.put("customers", customer)
    return customer


def check_customer(store: Store, customer_id: str) -> Json:
    """The customer, who must exist. Raises StripeError."""
    customer = store.table("customers").get(customer_id)
    if customer is None or customer.get("deleted"):
        raise no_such("customer", customer_id, "customer", status=400)
    return customer


def card_behind(store: Store, token: str) -> str:
    """The test card's name behind a token that was made here; any other names itself."""
    made = store.table("payment_methods").get(token)
    made = made or store.table("confirmation_tokens").get(token)
    return str(made["_card"]) if made else token


def kept(params: Json) -> Json:
    """What of the parameters is kept on a customer; an empty text unsets a fact."""
    facts = {name: params[name] or None for name in KEPT if name in params}
    settings = params.get("invoice_settings")
    return facts | ({"invoice_settings": INVOICE_SETTINGS | settings} if settings else {})
