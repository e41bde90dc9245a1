"""Refunds: partial or whole, some slow, some that fail after they had succeeded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sandbox.stripe.currencies import iso_minor
from sandbox.stripe.errors import StripeError, bad_value, missing, refused
from sandbox.stripe.objects import new_id
from sandbox.stripe.params import merged
from sandbox.stripe.store import NAME

if TYPE_CHECKING:
    from sandbox.journal import Json
    from sandbox.stripe.balance import Balance
    from sandbox.stripe.store import Store

REASONS: Final = ("duplicate", "fraudulent", "requested_by_customer")
# How long the slow test card keeps a refund pending, and the failing one lets it look successful.
TURN_AFTER_S: Final = 5


class Refunds:
    """Everything that changes a refund."""

    def __init__(self, store: Store, balance: Balance) -> None:
        """Refunds take their money from the balance."""
        self._store = store
        self._balance = balance

    def create(self, params: Json) -> Json:
        """``POST /v1/refunds``."""
        charge = self._charge(params)
        reason = params.get("reason")
        if reason is not None and reason not in REASONS:
            raise bad_value("reason", f"Invalid reason: {reason}")
        amount = self._amount(charge, params)
        refund: Json = {
            "id": new_id("re_"),
            "amount": amount,
            "charge": charge["id"],
            "created": self._store.now,
            "currency": charge["currency"],
            "customer": charge.get("customer"),
            "metadata": merged({}, params.get("metadata")),
            "payment_intent": charge["payment_intent"],
            "payment_method": charge["payment_method"],
            "reason": reason,
            "status": "pending" if charge["_refund"] == "pending" else "succeeded",
            "pending_reason": "processing" if charge["_refund"] == "pending" else None,
            "_reference": charge["_reference"],
            "_row": charge["_row"],
            "_turns_at": self._store.now + TURN_AFTER_S if charge["_refund"] else None,
        }
        self._take_back(charge, refund)
        self._book_turn(refund)
        return refund

    def update(self, refund: Json, params: Json) -> Json:
        """``POST /v1/refunds/{id}``: metadata only."""
        previous = {"metadata": refund["metadata"]}
        refund["metadata"] = merged(refund["metadata"], params.get("metadata"))
        self._store.put("refunds", refund)
        self._emit_updated(refund, previous)
        return refund

    def cancel(self, refund: Json) -> Json:
        """``POST /v1/refunds/{id}/cancel``: card refunds never wait for anybody's action."""
        raise refused(f"A refund with status {refund['status']} cannot be canceled.")

    def resume(self) -> None:
        """Schedule again the turns that are still to come."""
        for refund in self._store.table("refunds").values():
            self._book_turn(refund)

    def _charge(self, params: Json) -> Json:
        """The charge to refund, checked. Raises StripeError."""
        if params.get("charge"):
            charge = self._store.get("charges", params["charge"], "charge")
        elif params.get("payment_intent"):
            intent = self._store.get("payment_intents", params["payment_intent"], "payment_intent")
            if intent["status"] != "succeeded":
                message = "This PaymentIntent does not have a successful charge to refund."
                raise StripeError(400, message, code="payment_intent_unexpected_state", began=True)
            charge = self._store.get("charges", intent["latest_charge"])
        else:
            raise missing("payment_intent")
        if not charge["captured"]:
            raise refused("This charge was not captured.", "charge_not_captured")
        if charge.get("disputed"):
            raise refused("This charge has been charged back.", "charge_disputed")
        return charge

    def _amount(self, charge: Json, params: Json) -> int:
        left = charge["amount_captured"] - charge.get("amount_refunded", 0)
        if left == 0:
            message = f"Charge {charge['id']} has already been refunded."
            raise refused(message, "charge_already_refunded")
        if params.get("currency", charge["currency"]) != charge["currency"]:
            raise bad_value("currency", "The currency must be the charge's.")
        amount = int(params.get("amount", left))
        if amount < 1:
            raise bad_value("amount", "Invalid positive integer", "parameter_invalid_integer")
        if amount > left:
            message = f"Refund amount ({amount}) is greater than unrefunded amount ({left})."
            raise refused(message, None, "amount")
        return amount

    def _take_back(self, charge: Json, refund: Json) -> None:
        """Move the money: a balance line, the charge, the journal, the events."""
        line = self._balance.add(
            "refund", "refund", refund["id"], -refund["amount"], refund["currency"]
        )
        refund["balance_transaction"] = line["id"]
        self._count(charge, refund["amount"])
        self._store.put("refunds", refund)
        self._store.context.charges.refund(
            refund["id"],
            gateway=NAME,
            charge=charge["_row"],
            psp_reference=refund["id"],
            amount=iso_minor(refund["amount"], refund["currency"]),
            status=refund["status"],
        )
        self._store.context.charges.refund_moved(NAME, refund["id"])
        self._store.emit("refund.created", "refunds", refund, refund["_reference"])
        self._store.emit("charge.refunded", "charges", charge, refund["_reference"])

    def _count(self, charge: Json, change: int) -> None:
        refunded = charge.get("amount_refunded", 0) + change
        charge.update(amount_refunded=refunded, refunded=refunded == charge["amount_captured"])
        self._store.put("charges", charge)

    def _book_turn(self, refund: Json) -> None:
        if refund["_turns_at"] is not None:
            self._store.context.clock.at(refund["_turns_at"], lambda: self._turn(refund))

    def _turn(self, refund: Json) -> None:
        """A slow refund arrives; a failing one comes back, and its money with it."""
        refund["_turns_at"] = None
        if refund["status"] == "pending":
            refund.update(status="succeeded", pending_reason=None)
            self._save(refund)
            self._emit_updated(refund, {"status": "pending", "pending_reason": "processing"})
            return
        line = self._balance.add(
            "refund_failure", "refund_failure", refund["id"], refund["amount"], refund["currency"]
        )
        refund.update(
            status="failed",
            failure_reason="expired_or_canceled_card",
            failure_balance_transaction=line["id"],
        )
        self._count(self._store.get("charges", refund["charge"]), -refund["amount"])
        self._save(refund)
        changed = ("failure_reason", "failure_balance_transaction")
        self._emit_updated(refund, {"status": "succeeded", **dict.fromkeys(changed)})
        self._store.emit("refund.failed", "refunds", refund, refund["_reference"])

    def _emit_updated(self, refund: Json, previous: Json) -> None:
        self._store.emit("refund.updated", "refunds", refund, refund["_reference"], previous)

    def _save(self, refund: Json) -> None:
        self._store.put("refunds", refund)
        self._store.context.charges.refund_status(
            NAME, refund["id"], charge=refund["_row"], status=refund["status"]
        )
