"""Every step of a PaymentIntent from one status to the next: its charge, its row, its events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sandbox import charges
from sandbox.clock import iso
from sandbox.stripe.attempts import action_of, new_charge, problem_of, refusal
from sandbox.stripe.currencies import iso_minor
from sandbox.stripe.objects import new_id
from sandbox.stripe.store import NAME

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.journal import Json
    from sandbox.stripe.balance import Balance
    from sandbox.stripe.cards import Card
    from sandbox.stripe.store import Store

HOLD_S: Final = 7 * 24 * 3600

ROW_STATUS: Final = {
    "requires_payment_method": charges.OPEN,
    "requires_confirmation": charges.OPEN,
    "requires_action": charges.OPEN,
    "processing": charges.PENDING,
    "requires_capture": charges.AUTHORIZED,
    "succeeded": charges.CAPTURED,
    "canceled": charges.VOIDED,
}


class Steps:
    """What happens to an intent; whether it may happen was asked before."""

    def __init__(self, store: Store, balance: Balance) -> None:
        """Checkout listens at ``changed``, which is called after each step of an intent."""
        self._store = store
        self._balance = balance
        self.changed: Callable[[Json], None] = lambda _: None
        self.charged: Callable[[Json, Json, str], None] = lambda *_: None

    def succeed(self, intent: Json, card: Card) -> None:
        """The card has paid: the money is taken, or held until it is captured."""
        manual = intent["capture_method"] == "manual"
        charge = new_charge(intent, card, self._store.now) | {"captured": not manual}
        intent.update(next_action=None, latest_charge=charge["id"], _decide_at=None)
        if manual:
            self._hold(intent, charge)
            return
        charge["amount_captured"] = intent["amount"]
        intent.update(status="succeeded", amount_received=intent["amount"])
        self._store.put("charges", charge)
        self._emit_charge("succeeded", charge)
        self._paid(intent, charge)

    def take(self, intent: Json, amount: int) -> None:
        """Take ``amount`` of what is held; the rest is released."""
        charge = self._store.get("charges", intent["latest_charge"])
        charge.update(captured=True, amount_captured=amount)
        intent.update(status="succeeded", amount_received=amount, amount_capturable=0)
        self._store.put("charges", charge)
        self._emit_charge("captured", charge)
        self._paid(intent, charge)

    def fail(self, intent: Json, card: Card) -> None:
        """The card was refused: it has to be another one now."""
        charge = new_charge(intent, card, self._store.now) | refusal(card)
        intent.update(
            status="requires_payment_method",
            next_action=None,
            payment_method=None,
            _card=None,
            last_payment_error=problem_of(intent, card, charge["id"]),
            latest_charge=charge["id"],
            _decide_at=None,
        )
        self._store.put("charges", charge)
        self.save(intent)
        if not intent.get("_session"):
            self._store.context.charges.update(NAME, intent["_row"], status=charges.DECLINED)
        self._emit_charge("failed", charge)
        self.emit("payment_failed", intent)
        self.changed(intent)

    def challenge(self, intent: Json) -> None:
        """Send the shopper to his bank; without a return URL only the bank's script could."""
        base = self._store.context.settings.url
        intent.update(status="requires_action", next_action=action_of(intent, base))
        self._moved("requires_action", intent)

    def process(self, intent: Json) -> None:
        """The bank will answer later."""
        intent.update(status="processing", next_action=None)
        self._moved("processing", intent)

    def end(self, intent: Json, reason: str | None) -> None:
        """Cancel it, and let go what it holds."""
        held = intent["status"] == "requires_capture"
        intent.update(
            status="canceled",
            canceled_at=self._store.now,
            cancellation_reason=reason,
            amount_capturable=0,
            next_action=None,
        )
        self._moved("canceled", intent)
        if held:
            self._let_go(intent, self._store.get("charges", intent["latest_charge"]))

    def book_hold(self, intent: Json) -> None:
        """Journal the end of a hold."""
        self._store.context.clock.at(intent["_hold_ends_at"], lambda: self._run_out(intent))

    def save(self, intent: Json) -> None:
        """Write the intent, and its status into the journal."""
        self._store.put("payment_intents", intent)
        status = ROW_STATUS[intent["status"]]
        if intent["status"] == "canceled" and not intent.get("_hold_ends_at"):
            status = charges.CANCELLED
        row = self._store.context.charges.get(NAME, intent["_row"])
        if row is not None and row["status"] != charges.REFUNDED:
            self._store.context.charges.update(NAME, intent["_row"], status=status)

    def emit(self, word: str, intent: Json) -> None:
        """Tell that an intent is now ``word``."""
        reference = intent["_reference"]
        self._store.emit(f"payment_intent.{word}", "payment_intents", intent, reference)

    def _hold(self, intent: Json, charge: Json) -> None:
        self._emit_charge("succeeded", charge)
        intent.update(status="requires_capture", amount_capturable=intent["amount"])
        intent["_hold_ends_at"] = self._store.now + HOLD_S
        self._store.put("charges", charge)
        self.save(intent)
        self.emit("amount_capturable_updated", intent)
        self.book_hold(intent)
        self.changed(intent)

    def _paid(self, intent: Json, charge: Json) -> None:
        self.save(intent)
        taken = iso_minor(intent["amount_received"], intent["currency"])
        now = iso(self._store.context.clock.now())
        self._store.context.charges.update(NAME, intent["_row"], captured=taken, captured_at=now)
        self.emit("succeeded", intent)
        self.changed(intent)
        if intent["capture_method"] == "automatic":
            self._balance.settle(charge, intent["_reference"])
        else:
            self._balance.book_charge(charge, intent["_reference"])
        self.charged(intent, charge, charge["_dispute"] or "")

    def _run_out(self, intent: Json) -> None:
        if intent["status"] == "requires_capture":
            self.end(intent, "automatic")

    def _let_go(self, intent: Json, charge: Json) -> None:
        """A hold that is released reads as refunded, though no money ever moved.

        Where it ran out, Stripe itself writes a refund, of which the shop knows nothing.
        """
        charge.update(refunded=True, amount_refunded=charge["amount"])
        self._store.put("charges", charge)
        if intent["cancellation_reason"] != "automatic":
            self._emit_charge("refunded", charge)
            return
        self._emit_charge("expired", charge)
        refund = unmoved_refund(charge, self._store.now)
        self._store.put("refunds", refund)
        self._store.emit("refund.created", "refunds", refund, refund["_reference"])

    def _moved(self, word: str, intent: Json) -> None:
        self.save(intent)
        self.emit(word, intent)
        self.changed(intent)

    def _emit_charge(self, word: str, charge: Json) -> None:
        self._store.emit(f"charge.{word}", "charges", charge, charge["_reference"])


def unmoved_refund(charge: Json, now: int) -> Json:
    """The refund of a charge that was never captured: it has no balance transaction."""
    return {
        "id": new_id("re_"),
        "amount": charge["amount"],
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": "expired_uncaptured_charge",
        "status": "succeeded",
        "_reference": charge["_reference"],
        "_row": charge["_row"],
        "_turns_at": None,
    }
