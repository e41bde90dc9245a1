"""Refunds of captures: asked for by the shop, or taken by PayPal itself."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from sandbox import charges
from sandbox.paypal import codes, invoices, money
from sandbox.paypal.errors import refused
from sandbox.paypal.reading import text
from sandbox.paypal.store import DAY_S, NAME, new_id

if TYPE_CHECKING:
    from sandbox.journal import Json
    from sandbox.paypal.money import Amount
    from sandbox.paypal.store import Store

WINDOW_S: Final = 180 * DAY_S
# How long a refund that is pending stays so.
THINKS_S: Final = 60
COUNT_MAX: Final = 100
CUSTOM_MAX: Final = 127
NOTE_MAX: Final = 255


class Refunds:
    """Everything that gives money back."""

    def __init__(self, store: Store) -> None:
        """Records are the table ``refunds``."""
        self._store = store

    def resume(self) -> None:
        """Schedule again the ends of refunds that are pending."""
        for refund in self._store.table("refunds").values():
            if refund["status"] == codes.PENDING:
                self._book_end(refund)

    def refund(self, capture: Json, body: Json) -> Json:
        """Give back a capture, or a part of it. Raises PaypalError."""
        amount = self._refundable(capture, body)
        word = codes.refund_word(
            self._store.context.rules.current(NAME, capture["_reference"]).decision
        )
        if word in codes.REFUND_ISSUES:
            raise refused(word)
        status = codes.COMPLETED if word is None else codes.PENDING
        refund = self._new(capture, amount, body) | {"status": status, "_word": word}
        if word is not None:
            refund["status_details"] = {"reason": "ECHECK"}
        capture["_refunded"] = str(Decimal(capture["_refunded"]) + amount.value)
        capture["_refunds"] += 1
        self._mark_refunded(capture)
        self._store.put("refunds", refund)
        order = self._store.find("orders", capture["_order"])
        order["_refunds"].append(refund["id"])
        self._store.put("orders", order)
        invoices.use(self._store, refund.get("invoice_id"), refund["id"])
        self._enter(capture, refund, amount)
        return refund

    def reverse(self, capture: Json, amount: Json) -> None:
        """Take money back that a dispute has cost: a refund that the shop never asked for."""
        ours = {name: capture[name] for name in ("custom_id", "invoice_id") if name in capture}
        body = ours | {"note_to_payer": "Payment reversed"}
        reversal = self._new(capture, money.stored(amount), body)
        # The dispute itself enters the money into the journal and the report.
        reversal |= {"status": codes.COMPLETED, "_reversal": True}
        self._store.put("refunds", reversal)
        self._store.emit("PAYMENT.CAPTURE.REVERSED", "refund", reversal, reversal["_reference"])

    def _refundable(self, capture: Json, body: Json) -> Amount:
        """What to give back. Raises PaypalError."""
        self._require_refundable(capture)
        invoices.require_new(self._store, text(body, "invoice_id", invoices.LENGTH_MAX))
        text(body, "custom_id", CUSTOM_MAX)
        text(body, "note_to_payer", NOTE_MAX)
        left = money.stored(capture["amount"]).less(Decimal(capture["_refunded"]))
        given = body.get("amount")
        amount = left if given is None else money.read(given, "/amount")
        if amount.currency != left.currency:
            raise refused("REFUND_CAPTURE_CURRENCY_MISMATCH")
        if left.value <= 0:
            raise refused("CAPTURE_FULLY_REFUNDED")
        if amount.value > left.value:
            raise refused("REFUND_AMOUNT_EXCEEDED")
        if capture.get("_disputed") and amount.value < left.value:
            raise refused("TRANSACTION_DISPUTED")
        return amount

    def _require_refundable(self, capture: Json) -> None:
        if capture["status"] == codes.PENDING:
            raise refused("PENDING_CAPTURE")
        if capture["status"] in {codes.DECLINED, "FAILED"}:
            raise refused("REFUND_NOT_ALLOWED")
        if capture.get("_charged_back"):
            raise refused("REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK")
        if self._store.now - capture["_completed_at"] > WINDOW_S:
            raise refused("REFUND_TIME_LIMIT_EXCEEDED")
        if capture["_refunds"] >= COUNT_MAX:
            raise refused("MAX_NUMBER_OF_REFUNDS_EXCEEDED")

    def _new(self, capture: Json, amount: Amount, body: Json) -> Json:
        refund_id, nothing = new_id(), amount.less(amount.value).shown()
        total = Decimal(capture["_refunded"]) + amount.value
        kept = {
            name: body[name]
            for name in ("invoice_id", "custom_id", "note_to_payer")
            if body.get(name)
        }
        return kept | {
            "id": refund_id,
            "amount": amount.shown(),
            "seller_payable_breakdown": {
                "gross_amount": amount.shown(),
                "paypal_fee": nothing,
                "net_amount": amount.shown(),
                "total_refunded_amount": money.Amount(total, amount.currency).shown(),
            },
            "create_time": self._store.stamp(),
            "update_time": self._store.stamp(),
            "links": [
                self._store.link(f"/v2/payments/refunds/{refund_id}", "self"),
                self._store.link(f"/v2/payments/captures/{capture['id']}", "up"),
            ],
            "_capture": capture["id"],
            "_order": capture["_order"],
            "_reference": capture["_reference"],
            "_at": self._store.now,
        }

    def _enter(self, capture: Json, refund: Json, amount: Amount) -> None:
        done = refund["status"] == codes.COMPLETED
        self._store.context.charges.refund(
            refund["id"],
            gateway=NAME,
            charge=capture["_order"],
            psp_reference=refund["id"],
            amount=amount.minor,
            status="succeeded" if done else "pending",
        )
        event = "PAYMENT.CAPTURE.REFUNDED" if done else "PAYMENT.REFUND.PENDING"
        self._store.emit(event, "refund", refund, refund["_reference"])
        if not done:
            self._book_end(refund)

    def _book_end(self, refund: Json) -> None:
        self._store.context.clock.at(refund["_at"] + THINKS_S, lambda: self._finish(refund))

    def _finish(self, refund: Json) -> None:
        if refund["status"] != codes.PENDING:
            return
        failed = refund["_word"] == codes.REFUND_FAILED
        refund.pop("status_details", None)
        refund.update(
            status="FAILED" if failed else codes.COMPLETED, update_time=self._store.stamp()
        )
        self._store.put("refunds", refund)
        if failed:
            capture = self._store.find("captures", refund["_capture"])
            rest = Decimal(capture["_refunded"]) - Decimal(refund["amount"]["value"])
            capture["_refunded"] = str(rest)
            self._mark_refunded(capture)
        self._store.context.charges.refund_status(
            NAME,
            refund["id"],
            charge=refund["_order"],
            status=charges.FAILED if failed else "succeeded",
        )
        event = "PAYMENT.REFUND.FAILED" if failed else "PAYMENT.CAPTURE.REFUNDED"
        self._store.emit(event, "refund", refund, refund["_reference"])

    def _mark_refunded(self, capture: Json) -> None:
        refunded = Decimal(capture["_refunded"])
        full = refunded >= Decimal(capture["amount"]["value"])
        partly = "PARTIALLY_REFUNDED" if refunded else codes.COMPLETED
        capture["status"] = "REFUNDED" if full else partly
        capture["update_time"] = self._store.stamp()
        self._store.put("captures", capture)
