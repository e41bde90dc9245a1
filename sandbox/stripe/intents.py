"""PaymentIntents: what the API, the shopper and the rules may do with them."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from sandbox import charges
from sandbox.stripe.cards import Card, card_for, decline_card, message_of
from sandbox.stripe.currencies import check_amount, iso_minor
from sandbox.stripe.customers import card_behind, check_customer
from sandbox.stripe.errors import StripeError, bad_state, bad_value, no_such, refused
from sandbox.stripe.objects import new_id
from sandbox.stripe.params import merged, need
from sandbox.stripe.store import NAME

if TYPE_CHECKING:
    from sandbox.journal import Json
    from sandbox.stripe.steps import Steps
    from sandbox.stripe.store import Store

ASYNC: Final = "automatic_async"
CAPTURE_METHODS: Final = ("automatic", ASYNC, "manual")
CANCELLATION_REASONS: Final = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")
CONFIRMABLE: Final = ("requires_payment_method", "requires_confirmation", "requires_action")
CANCELLABLE: Final = (*CONFIRMABLE, "requires_capture")
# A decision that comes later than this is not waited for inside the call: the intent processes.
WAIT_MS_MAX: Final = 1000

# Parameters that are kept on the object as they came.
KEPT: Final = (
    "description", "customer", "receipt_email", "automatic_payment_methods", "shipping",
    "statement_descriptor_suffix", "allowed_payment_method_types", "setup_future_usage",
    "excluded_payment_method_types", "transfer_group", "capture_method",
)  # fmt: skip


class Intents:
    """Everything that may be asked of a PaymentIntent."""

    def __init__(self, store: Store, steps: Steps) -> None:
        """What is allowed is done by ``steps``."""
        self._store = store
        self._steps = steps

    def create(self, params: Json) -> Json:
        """``POST /v1/payment_intents``. Raises StripeError; a decline leaves the intent behind."""
        amount, currency = need(params, "amount"), need(params, "currency").lower()
        check_amount(amount, currency)
        kept, card = self._kept(params), self._card(params)
        metadata = merged({}, params.get("metadata"))
        intent = self.make(amount, currency, kept.get("capture_method", ASYNC), metadata)
        intent.update(kept)
        self.enter(intent, intent["id"])
        if card is not None:
            self._attach(intent, card, params)
        self._steps.save(intent)
        self._steps.emit("created", intent)
        if params.get("confirm"):
            self.confirm(intent, params)
        return intent

    def make(self, amount: int, currency: str, capture_method: str, metadata: Json) -> Json:
        """A new record, not yet in the journal."""
        intent_id = new_id("pi_")
        return {
            "id": intent_id,
            "amount": amount,
            "currency": currency,
            "capture_method": capture_method,
            "client_secret": f"{intent_id}_secret_{secrets.token_hex(12)}",
            "created": self._store.now,
            "metadata": metadata,
            "status": "requires_payment_method",
            "_reference": metadata.get("reference") or intent_id,
            "_row": intent_id,
        }

    def enter(self, intent: Json, row: str) -> None:
        """Enter the intent in the journal under a key of its own."""
        self._store.context.charges.open(
            row,
            charges.Payment(
                gateway=NAME,
                account=self._store.account,
                reference=intent["_reference"],
                psp_reference=intent["id"],
                amount=iso_minor(intent["amount"], intent["currency"]),
                currency=intent["currency"],
            ),
        )

    def update(self, intent: Json, params: Json) -> Json:
        """``POST /v1/payment_intents/{id}``."""
        if intent["status"] not in CONFIRMABLE:
            raise bad_state("This PaymentIntent can no longer be updated.", self._shown(intent))
        changes = self._kept(params)
        if "amount" in params or "currency" in params:
            changes["amount"] = params.get("amount", intent["amount"])
            changes["currency"] = str(params.get("currency", intent["currency"])).lower()
            check_amount(changes["amount"], changes["currency"])
        card = self._card(params)
        intent.update(changes)
        intent["metadata"] = merged(intent["metadata"], params.get("metadata"))
        if card is not None:
            self._attach(intent, card, params)
        self._steps.save(intent)
        return intent

    def confirm(self, intent: Json, params: Json) -> Json:
        """``POST /v1/payment_intents/{id}/confirm``: try the card.

        Raises StripeError 402 on a decline.
        """
        if intent.get("_session"):
            raise bad_state("This PaymentIntent is paid through its Checkout Session.")
        if intent["status"] not in CONFIRMABLE:
            message = f"This PaymentIntent's status is {intent['status']}; it cannot be confirmed."
            raise bad_state(message, self._shown(intent))
        if params.get("amount_to_confirm", intent["amount"]) != intent["amount"]:
            raise refused("The amount to confirm is not the amount.", None, "amount_to_confirm")
        kept, card = self._kept(params), self._card(params)
        if card is not None:
            self._attach(intent, card, params)
        if not intent.get("_card"):
            raise bad_state("You cannot confirm this PaymentIntent without a payment method.")
        intent.update(kept)
        intent["_return_url"] = params.get("return_url")
        strict = params.get("off_session") == "true" or bool(params.get("error_on_requires_action"))
        rule = self._store.context.rules.of(NAME, intent["_reference"])
        late_ms = rule.decide_after_ms if rule.decide_after_ms > WAIT_MS_MAX else 0
        self.attempt(intent, attached_card(intent), rule.decision, strict=strict, late_ms=late_ms)
        return intent

    def attempt(
        self, intent: Json, card: Card, decision: str, *, strict: bool = False, late_ms: int = 0
    ) -> None:
        """Try a card as the card itself or the rule decides. Raises StripeError 402 on a decline.

        ``strict`` refuses a card that wants its holder to act.
        """
        intent["last_payment_error"] = None
        if card.magic or decision in {"ask", "approve"}:
            self._run(intent, card, strict=strict, late_ms=0 if card.magic else late_ms)
        elif decision.startswith("decline:"):
            self._run(intent, decline_card(decision), strict=strict, late_ms=late_ms)
        elif decision == "pending":
            self._process(intent, None)
        else:
            # A shopper who cancels or walks away does so where the bank wants to see him.
            self._steps.challenge(intent)
        if intent["status"] == "requires_action" and decision not in {"ask", "pending", "abandon"}:
            self._decide_later(intent, decision)

    def decide(self, intent: Json, decision: str) -> bool:
        """Decide an intent that waits for its shopper or its bank.

        False if there is nothing to decide.
        """
        if intent["status"] not in {"requires_action", "processing"}:
            return False
        if decision == "approve":
            self._steps.succeed(intent, attached_card(intent))
        elif decision == "cancel" and intent["status"] == "requires_action":
            self._steps.fail(intent, AUTHENTICATION_FAILED)
        elif decision.startswith("decline:"):
            self._steps.fail(intent, decline_card(decision))
        else:
            return False
        return True

    def capture(self, intent: Json, params: Json) -> Json:
        """``POST /v1/payment_intents/{id}/capture``; what is not captured is released."""
        if intent["status"] != "requires_capture":
            message = f"This PaymentIntent could not be captured: its status is {intent['status']}."
            raise bad_state(message, self._shown(intent))
        if params.get("final_capture") is False:
            raise refused("This PaymentIntent can be captured once only.", None, "final_capture")
        amount = params.get("amount_to_capture", int(intent["amount"]))
        if not 0 < amount <= intent["amount"]:
            raise refused(
                "The amount to capture is out of range.", "amount_too_large", "amount_to_capture"
            )
        intent["metadata"] = merged(intent["metadata"], params.get("metadata"))
        self._steps.take(intent, amount)
        return intent

    def cancel(self, intent: Json, params: Json, *, by_stripe: str | None = None) -> Json:
        """``POST /v1/payment_intents/{id}/cancel``; ``by_stripe`` is the reason when the clock does
        it.
        """
        reason = params.get("cancellation_reason")
        if reason is not None and reason not in CANCELLATION_REASONS:
            raise bad_value("cancellation_reason", f"Invalid cancellation_reason: {reason}")
        allowed = ("requires_capture",) if intent.get("_session") and not by_stripe else CANCELLABLE
        if intent["status"] not in allowed:
            message = f"You cannot cancel this PaymentIntent: its status is {intent['status']}."
            raise bad_state(message, self._shown(intent))
        self._steps.end(intent, by_stripe or reason)
        return intent

    def resume(self) -> None:
        """Schedule again what intents were waiting for."""
        for intent in self._store.table("payment_intents").values():
            if intent["status"] == "requires_capture":
                self._steps.book_hold(intent)
            elif intent.get("_decide_at") and intent["status"] in {"requires_action", "processing"}:
                self._book_decision(intent)

    def _run(self, intent: Json, card: Card, *, strict: bool, late_ms: int) -> None:
        intent["_card_now"] = card.last4
        if late_ms:
            decision = f"decline:{card.decline_code}" if card.code else "approve"
            self._process(intent, decision, late_ms)
        elif card.code:
            raise self._declined(intent, card)
        elif card.authenticate and strict:
            raise self._declined(intent, AUTHENTICATION_REQUIRED)
        elif card.authenticate:
            self._steps.challenge(intent)
        else:
            self._steps.succeed(intent, card)

    def _declined(self, intent: Json, card: Card) -> StripeError:
        """Note a failed attempt and return the error that its caller gets."""
        self._steps.fail(intent, card)
        error = StripeError(
            402,
            message_of(card),
            kind="card_error",
            code=card.code,
            param="" if card.code == "card_declined" else None,
            began=True,
        )
        error.more = intent["last_payment_error"] | {"payment_intent": self._shown(intent)}
        return error

    def _process(self, intent: Json, decision: str | None, late_ms: int = 0) -> None:
        """The bank will answer later: at a booked time, or when somebody decides."""
        self._steps.process(intent)
        if decision is not None:
            self._decide_later(intent, decision, late_ms)

    def _decide_later(self, intent: Json, decision: str, late_ms: int | None = None) -> None:
        after_ms = late_ms
        if after_ms is None:
            after_ms = self._store.context.rules.of(NAME, intent["_reference"]).decide_after_ms
        intent["_decision"] = decision
        intent["_decide_at"] = self._store.context.clock.now() + after_ms / 1000
        self._steps.save(intent)
        self._book_decision(intent)

    def _book_decision(self, intent: Json) -> None:
        self._store.context.clock.at(
            intent["_decide_at"], lambda: self.decide(intent, intent["_decision"])
        )

    def _kept(self, params: Json) -> Json:
        if params.get("customer"):
            check_customer(self._store, params["customer"])
        return read_kept(params)

    def _card(self, params: Json) -> Card | None:
        """The card of a request, or None when it names none.

        Values in the request beat the token's.
        """
        name = "payment_method" if params.get("payment_method") else "confirmation_token"
        token = params.get(name)
        if not token:
            return None
        card = card_for(card_behind(self._store, token))
        if card is None:
            kind = "PaymentMethod" if name == "payment_method" else "ConfirmationToken"
            raise no_such(kind, token, name, status=400)
        return card

    def _attach(self, intent: Json, card: Card, params: Json) -> None:
        token = params.get("payment_method") or params["confirmation_token"]
        method = self._store.table("payment_methods").get(token, {})
        if method.get("customer") not in {None, intent.get("customer")}:
            raise bad_value("payment_method", "The payment method is another customer's.")
        intent["_card"] = card_behind(self._store, token)
        intent["payment_method"] = method.get("id") or new_id("pm_")
        if intent["status"] == "requires_payment_method":
            intent["status"] = "requires_confirmation"
        intent["_card_now"] = card.last4

    def _shown(self, intent: Json) -> Json:
        return self._store.shown("payment_intents", intent)


def read_kept(params: Json, name: str = "{}") -> Json:
    """What of the parameters is kept on an intent; ``name`` is how they are called.

    Raises StripeError.
    """
    method = params.get("capture_method", ASYNC)
    if method not in CAPTURE_METHODS:
        raise bad_value(name.format("capture_method"), f"Invalid capture_method: {method}")
    if params.get("statement_descriptor"):
        message = "Set statement_descriptor_suffix instead: cards take no statement_descriptor."
        raise bad_value(name.format("statement_descriptor"), message)
    return {key: params[key] for key in KEPT if key in params}


AUTHENTICATION_FAILED: Final = Card(
    number="4000000000003220", code="payment_intent_authentication_failure"
)
AUTHENTICATION_REQUIRED: Final = Card(
    number="4000002760003184",
    code="authentication_required",
    decline_code="authentication_required",
)


def attached_card(intent: Json) -> Card:
    """The card that was attached to an intent."""
    return card_for(intent.get("_card") or "pm_card_visa") or Card(number="4242424242424242")
