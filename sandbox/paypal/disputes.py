"""Disputes: opened and ended by the control interface, answered by the shop."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from sandbox.gateway import ControlError
from sandbox.paypal import money
from sandbox.paypal.errors import refused
from sandbox.paypal.store import DAY_S, NAME, new_id

if TYPE_CHECKING:
    from sandbox.journal import Json
    from sandbox.paypal.refunds import Refunds
    from sandbox.paypal.store import Store

OUTCOMES: Final = ("open", "inquiry", "won", "lost")
DUE_AFTER_S: Final = 10 * DAY_S
RESOLVED: Final = "RESOLVED"
ID_PARTS: Final = ("PP", "D")
NUMBER_LENGTH: Final = 5


class Disputes:
    """Everything that changes a dispute."""

    def __init__(self, store: Store, refunds: Refunds) -> None:
        """Records are the table ``disputes``; a lost one is paid by a refund."""
        self._store = store
        self._refunds = refunds

    def control(self, psp_reference: str, outcome: str) -> Json:
        """Open or end a dispute about an order or a capture; the row of the journal."""
        if outcome not in OUTCOMES:
            raise ControlError(f"outcome must be one of {', '.join(OUTCOMES)}; got {outcome!r}.")
        capture = self._find_capture(psp_reference)
        running = [
            each
            for each in self._store.table("disputes").values()
            if each["_capture"] == capture["id"] and each["status"] != RESOLVED
        ]
        dispute = running[0] if running else self._open(capture, inquiry=outcome == "inquiry")
        if outcome in {"won", "lost"}:
            self._resolve(dispute, lost=outcome == "lost")
        return self._store.context.journal.table("disputes")[f"{NAME}:{dispute['id']}"]

    def accept(self, dispute: Json) -> None:
        """The shop gives in. Raises PaypalError."""
        self._require_open(dispute)
        self._resolve(dispute, lost=True, code="ACCEPTED")

    def provide(self, dispute: Json) -> None:
        """The shop sends its evidence. Raises PaypalError."""
        self._require_open(dispute)
        dispute["status"] = "UNDER_REVIEW"
        self._save(dispute)
        self._emit("UPDATED", dispute)

    def of_capture(self, capture_id: str | None) -> list[Json]:
        """All disputes, or those about one capture."""
        every = self._store.table("disputes").values()
        return [each for each in every if capture_id in {None, each["_capture"]}]

    def _require_open(self, dispute: Json) -> None:
        if dispute["status"] == RESOLVED:
            raise refused("ACTION_NOT_ALLOWED")

    def _open(self, capture: Json, *, inquiry: bool) -> Json:
        order = self._store.find("orders", capture["_order"])
        dispute_id = "-".join((*ID_PARTS, str(10_000 + len(self._store.table("disputes")))))
        now = self._store.stamp()
        dispute: Json = {
            "id": dispute_id,
            "dispute_id": dispute_id,
            "create_time": now,
            "update_time": now,
            "disputed_transactions": [self._transaction(capture, order)],
            "reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
            "status": "WAITING_FOR_SELLER_RESPONSE",
            "dispute_amount": capture["amount"],
            "dispute_life_cycle_stage": "INQUIRY" if inquiry else "CHARGEBACK",
            "dispute_channel": "INTERNAL",
            "seller_response_due_date": self._store.stamp(DUE_AFTER_S),
            "links": [self._store.link(f"/v1/customer/disputes/{dispute_id}", "self")],
            "_capture": capture["id"],
            "_order": capture["_order"],
            "_reference": capture["_reference"],
            "_at": self._store.now,
            "_moved": not inquiry,
        }
        capture["_disputed"] = True
        self._store.put("captures", capture)
        self._save(dispute)
        if not inquiry:
            self._move(dispute, "T1201", -1)
        self._emit("CREATED", dispute)
        return dispute

    def _resolve(self, dispute: Json, *, lost: bool, code: str = "") -> None:
        won_code, lost_code = "RESOLVED_SELLER_FAVOUR", "RESOLVED_BUYER_FAVOUR"
        dispute["status"] = RESOLVED
        dispute["dispute_outcome"] = {"outcome_code": code or (lost_code if lost else won_code)}
        if lost:
            dispute["dispute_outcome"]["amount_refunded"] = dispute["dispute_amount"]
        dispute["_lost"] = lost
        capture = self._store.find("captures", dispute["_capture"])
        capture.update(_disputed=False, _charged_back=lost)
        self._store.put("captures", capture)
        self._save(dispute)
        if lost and not dispute["_moved"]:
            self._move(dispute, "T1106", -1)
        elif not lost and dispute["_moved"]:
            self._move(dispute, "T1202", 1)
        self._emit("RESOLVED", dispute)
        if lost:
            self._refunds.reverse(capture, dispute["dispute_amount"])

    def _transaction(self, capture: Json, order: Json) -> Json:
        return {
            "seller_transaction_id": capture["id"],
            "buyer_transaction_id": new_id(),
            "create_time": capture["create_time"],
            "transaction_status": "COMPLETED",
            "gross_amount": capture["amount"],
            "invoice_number": capture.get("invoice_id", ""),
            "custom": capture.get("custom_id", ""),
            "seller": {"merchant_id": self._store.merchant_id},
            "buyer": {"payer_id": order["_payer_id"]},
        }

    def _move(self, dispute: Json, code: str, sign: int) -> None:
        """Note money that a dispute takes or brings back, for the report."""
        value = Decimal(dispute["dispute_amount"]["value"]) * sign
        move: Json = {
            "id": new_id(),
            "code": code,
            "amount": money.Amount(value, dispute["dispute_amount"]["currency_code"]).shown(),
            "of": dispute["_capture"],
            "_at": self._store.now,
        }
        self._store.put("moves", move)

    def _find_capture(self, psp_reference: str) -> Json:
        order = self._store.table("orders").get(psp_reference)
        captures = order["_captures"] if order else [psp_reference]
        capture = self._store.table("captures").get(captures[-1] if captures else "")
        if capture is None or "_completed_at" not in capture:
            raise ControlError(f"PayPal has taken no money as {psp_reference}.")
        return capture

    def _save(self, dispute: Json) -> None:
        dispute["update_time"] = self._store.stamp()
        self._store.put("disputes", dispute)
        word = "inquiry" if not dispute["_moved"] else "open"
        if dispute["status"] == RESOLVED:
            word = "lost" if dispute["_lost"] else "won"
        self._store.context.charges.dispute(
            dispute["id"],
            gateway=NAME,
            charge=dispute["_order"],
            psp_reference=dispute["id"],
            amount=money.stored(dispute["dispute_amount"]).minor,
            status=word,
        )

    def _emit(self, word: str, dispute: Json) -> None:
        self._store.emit(f"CUSTOMER.DISPUTE.{word}", "dispute", dispute, dispute["_reference"])
