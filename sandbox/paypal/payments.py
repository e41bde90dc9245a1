"""Payments v2: captures and holds, and what each does to the journal."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from sandbox import charges
from sandbox.clock import iso
from sandbox.paypal import codes, invoices, money
from sandbox.paypal.errors import refused
from sandbox.paypal.reading import flag, text
from sandbox.paypal.store import DAY_S, NAME, new_id, stamp

if TYPE_CHECKING:
    from sandbox.journal import Json
    from sandbox.paypal.money import Amount
    from sandbox.paypal.store import Store

HOLD_LIFE_S: Final = 29 * DAY_S
HONOUR_S: Final = 3 * DAY_S
RENEWAL_SHARE_MAX: Final = Decimal("1.15")
RENEWAL_MORE_MAX: Final = Decimal(75)
PROTECTION: Final = {
    "status": "ELIGIBLE",
    "dispute_categories": ["ITEM_NOT_RECEIVED", "UNAUTHORIZED_TRANSACTION"],
}


class Payments:
    """Everything that moves money, or holds it."""

    def __init__(self, store: Store) -> None:
        """Records are the tables ``captures`` and ``authorizations``."""
        self._store = store

    def resume(self) -> None:
        """Schedule again the ends of holds."""
        for hold in self._store.table("authorizations").values():
            if is_open(hold):
                self._book_end(hold)

    def capture_order(self, order: Json, outcome: str) -> Json:
        """Take the whole of an approved order."""
        unit = order["purchase_units"][0]
        invoices.require_new(self._store, unit.get("invoice_id"))
        capture = self._new_capture(order, money.stored(unit["amount"]), outcome, final=True)
        self._finish(order, capture, outcome)
        return capture

    def authorize(self, order: Json, outcome: str) -> Json:
        """Hold the whole of an approved order."""
        unit = order["purchase_units"][0]
        invoices.require_new(self._store, unit.get("invoice_id"))
        hold = self._new_hold(order, unit["amount"], self._store.now + HOLD_LIFE_S)
        hold["status"] = {codes.PENDING: "PENDING", codes.DECLINED: "DENIED"}.get(
            outcome, "CREATED"
        )
        if hold["status"] == "PENDING":
            hold["status_details"] = {"reason": "PENDING_REVIEW"}
        self._open(hold, order)
        return hold

    def capture_hold(self, hold: Json, body: Json) -> Json:
        """Take a hold, or a part of it. Raises PaypalError."""
        require_usable(hold)
        left = self._left(hold)
        given = body.get("amount")
        amount = left if given is None else money.read(given, "/amount")
        invoice_id = text(body, "invoice_id", invoices.LENGTH_MAX)
        if amount.currency != left.currency:
            raise refused("AUTH_CAPTURE_CURRENCY_MISMATCH")
        if amount.value > left.value:
            raise refused("MAX_CAPTURE_AMOUNT_EXCEEDED")
        if invoice_id != hold.get("invoice_id"):
            invoices.require_new(self._store, invoice_id)
        decision = self._store.context.rules.current(NAME, hold["_reference"]).decision
        outcome = codes.hold_outcome(decision)
        if outcome in codes.HOLD_ISSUES:
            raise refused(outcome)
        order = self._store.find("orders", hold["_order"])
        final = flag(body, "final_capture") or amount.value == left.value
        capture = self._new_capture(order, amount, outcome, final=final, hold=hold)
        if invoice_id:
            capture["invoice_id"] = invoice_id
        if outcome == codes.COMPLETED:
            hold["_captures"].append(capture["id"])
            hold["status"] = "CAPTURED" if final else "PARTIALLY_CAPTURED"
            self._touch("authorizations", hold)
        self._finish(order, capture, outcome)
        return capture

    def void(self, hold: Json) -> Json:
        """Let a hold go. Raises PaypalError."""
        if hold["status"] == "CAPTURED":
            raise refused("PREVIOUSLY_CAPTURED")
        if hold["status"] == "VOIDED":
            raise refused("PREVIOUSLY_VOIDED")
        if hold["status"] == "DENIED":
            raise refused("CANNOT_BE_VOIDED")
        self._end(hold)
        return hold

    def reauthorize(self, hold: Json, body: Json) -> Json:
        """Hold once more, under a new id: from the fourth day on, and once. Raises PaypalError.

        The end stays that of the first hold, which is let go for the new one.
        """
        require_usable(hold)
        if hold["_renews"] or hold["_captures"] or self._store.now < hold["_honoured_until"]:
            raise refused("REAUTHORIZATION_NOT_SUPPORTED")
        amount = money.stored(hold["amount"])
        if body.get("amount") is not None:
            amount = renewable(amount, money.read(body["amount"], "/amount"))
        order = self._store.find("orders", hold["_order"])
        renewed = self._new_hold(order, amount.shown(), hold["_ends_at"])
        renewed |= {"status": "CREATED", "_renews": hold["id"]}
        hold["status"] = "VOIDED"
        self._touch("authorizations", hold)
        self._open(renewed, order)
        return renewed

    def decide(self, capture: Json, *, good: bool) -> None:
        """End the review of a capture that was pending."""
        order = self._store.find("orders", capture["_order"])
        capture.pop("status_details", None)
        self._finish(order, capture, codes.COMPLETED if good else "DENIED")

    def decide_hold(self, hold: Json, *, good: bool) -> None:
        """End the review of a hold that was pending."""
        hold.pop("status_details", None)
        hold["status"] = "CREATED" if good else "DENIED"
        self._touch("authorizations", hold)
        self._enter_hold(hold)

    def _new(self, table: str, order: Json) -> Json:
        """What captures and holds have in common."""
        unit = order["purchase_units"][0]
        record: Json = {
            "id": new_id(),
            "create_time": self._store.stamp(),
            "update_time": self._store.stamp(),
            "payee": unit["payee"],
            "supplementary_data": {"related_ids": {"order_id": order["id"]}},
            "_order": order["id"],
            "_reference": order["_reference"],
            "_at": self._store.now,
        }
        ours = {name: unit[name] for name in ("custom_id", "invoice_id") if name in unit}
        return record | ours

    def _new_hold(self, order: Json, amount: Json, ends_at: float) -> Json:
        hold = self._new("authorizations", order) | {
            "amount": amount,
            "seller_protection": PROTECTION,
            "expiration_time": stamp(ends_at),
            "_captures": [],
            "_renews": "",
            "_ends_at": ends_at,
            "_honoured_until": self._store.now + HONOUR_S,
        }
        path = f"/v2/payments/authorizations/{hold['id']}"
        hold["links"] = [
            self._store.link(path, "self"),
            self._store.link(f"{path}/capture", "capture", "POST"),
            self._store.link(f"{path}/void", "void", "POST"),
            self._store.link(f"{path}/reauthorize", "reauthorize", "POST"),
            self._store.link(f"/v2/checkout/orders/{order['id']}", "up"),
        ]
        return hold

    def _open(self, hold: Json, order: Json) -> None:
        """Enter a hold that begins, and tell of it unless it was denied."""
        self._keep("authorizations", hold, order)
        self._enter_hold(hold)
        if hold["status"] != "DENIED":
            invoices.use(self._store, hold.get("invoice_id"), hold["id"])
            self._store.emit(
                "PAYMENT.AUTHORIZATION.CREATED", "authorization", hold, hold["_reference"]
            )
            self._book_end(hold)

    def _new_capture(
        self, order: Json, amount: Amount, outcome: str, *, final: bool, hold: Json | None = None
    ) -> Json:
        capture = self._new("captures", order) | {
            "amount": amount.shown(),
            "final_capture": final,
            "seller_protection": PROTECTION,
            "disbursement_mode": "INSTANT",
            "_refunded": "0",
            "_refunds": 0,
        }
        path = f"/v2/payments/captures/{capture['id']}"
        up = f"/v2/checkout/orders/{order['id']}"
        if hold is not None:
            up = f"/v2/payments/authorizations/{hold['id']}"
            related(capture)["authorization_id"] = hold["id"]
        capture["links"] = [
            self._store.link(path, "self"),
            self._store.link(f"{path}/refund", "refund", "POST"),
            self._store.link(up, "up"),
        ]
        if outcome == codes.PENDING:
            capture["status_details"] = {"reason": "PENDING_REVIEW"}
        if outcome == codes.DECLINED:
            capture["processor_response"] = {"response_code": "5650"}
        return capture

    def _finish(self, order: Json, capture: Json, outcome: str) -> None:
        """Give a capture its status, and tell the journal and the shop."""
        events = {
            codes.COMPLETED: "COMPLETED", codes.PENDING: "PENDING", codes.DECLINED: "DECLINED",
            "DENIED": "DENIED",
        }  # fmt: skip
        capture["status"] = codes.DECLINED if outcome == "DENIED" else outcome
        capture["update_time"] = self._store.stamp()
        if outcome == codes.COMPLETED:
            capture["_completed_at"] = self._store.now
            capture["seller_receivable_breakdown"] = breakdown(money.stored(capture["amount"]))
        if outcome in {codes.COMPLETED, codes.PENDING}:
            invoices.use(self._store, capture.get("invoice_id"), capture["id"])
        self._keep("captures", capture, order)
        self._enter(capture)
        self._store.emit(
            f"PAYMENT.CAPTURE.{events[outcome]}", "capture", capture, capture["_reference"]
        )

    def _enter(self, capture: Json) -> None:
        """Count a capture in the journal."""
        status = capture["status"]
        if status == codes.DECLINED and "authorization_id" in related(capture):
            # Its hold stands as it did.
            return
        changes: dict[str, str | int] = {"status": charges.DECLINED}
        if status == codes.PENDING:
            changes = {"status": charges.PENDING}
        elif status == codes.COMPLETED:
            row = self._store.context.charges.get(NAME, capture["_order"]) or {}
            captured = row.get("captured", 0) + money.stored(capture["amount"]).minor
            captured_at = iso(self._store.now)
            changes = {"status": charges.CAPTURED, "captured": captured, "captured_at": captured_at}
        self._store.context.charges.update(NAME, capture["_order"], **changes)

    def _enter_hold(self, hold: Json) -> None:
        status = {
            "CREATED": charges.AUTHORIZED, "PENDING": charges.PENDING, "DENIED": charges.DECLINED,
            "VOIDED": charges.VOIDED,
        }[hold["status"]]  # fmt: skip
        self._store.context.charges.update(NAME, hold["_order"], status=status)

    def _left(self, hold: Json) -> Amount:
        taken = sum(
            Decimal(self._store.find("captures", each)["amount"]["value"])
            for each in hold["_captures"]
        )
        return money.stored(hold["amount"]).less(Decimal(taken))

    def _book_end(self, hold: Json) -> None:
        self._store.context.clock.at(hold["_ends_at"], lambda: self._run_out(hold))

    def _run_out(self, hold: Json) -> None:
        if is_open(hold):
            hold["_expired"] = True
            self._end(hold)

    def _end(self, hold: Json) -> None:
        hold["status"] = "VOIDED"
        self._touch("authorizations", hold)
        if not hold["_captures"]:
            self._enter_hold(hold)
        self._store.emit("PAYMENT.AUTHORIZATION.VOIDED", "authorization", hold, hold["_reference"])

    def _keep(self, table: str, record: Json, order: Json) -> None:
        self._store.put(table, record)
        if record["id"] not in order[f"_{table}"]:
            order[f"_{table}"].append(record["id"])
            self._store.put("orders", order)

    def _touch(self, table: str, record: Json) -> None:
        record["update_time"] = self._store.stamp()
        self._store.put(table, record)


def is_open(hold: Json) -> bool:
    """Whether a hold still holds something."""
    return hold["status"] in {"CREATED", "PENDING", "PARTIALLY_CAPTURED"}


def require_usable(hold: Json) -> None:
    """Raises PaypalError for a hold that nothing can be taken from."""
    if hold.get("_expired"):
        raise refused("AUTHORIZATION_EXPIRED")
    issues = {
        "VOIDED": "AUTHORIZATION_VOIDED",
        "CAPTURED": "AUTHORIZATION_ALREADY_CAPTURED",
        "DENIED": "AUTHORIZATION_DENIED",
        "PENDING": "AUTHORIZATION_DENIED",
    }
    if hold["status"] in issues:
        raise refused(issues[hold["status"]])


def related(capture: Json) -> Json:
    """The ids of what a capture came from."""
    ids: Json = capture["supplementary_data"]["related_ids"]
    return ids


def renewable(held: Amount, wanted: Amount) -> Amount:
    """What may be held anew: a little more than before, as in the US. Raises PaypalError."""
    if wanted.currency != held.currency:
        raise refused("AUTH_CURRENCY_MISMATCH")
    if wanted.value > min(held.value * RENEWAL_SHARE_MAX, held.value + RENEWAL_MORE_MAX):
        raise refused("REAUTHORIZATION_NOT_SUPPORTED")
    return wanted


def breakdown(amount: Amount) -> Json:
    """What the shop receives of a capture."""
    fee = money.fee_of(amount)
    return {
        "gross_amount": amount.shown(),
        "paypal_fee": fee.shown(),
        "net_amount": amount.less(fee.value).shown(),
    }
