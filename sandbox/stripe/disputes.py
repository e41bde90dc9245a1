"""Disputes and inquiries: opened by a test card or by the control interface, won or lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sandbox.gateway import ControlError
from sandbox.stripe.balance import DAY_S, DISPUTE_FEE
from sandbox.stripe.currencies import iso_minor
from sandbox.stripe.errors import refused
from sandbox.stripe.objects import new_id
from sandbox.stripe.params import merged
from sandbox.stripe.store import NAME

if TYPE_CHECKING:
    from sandbox.journal import Json
    from sandbox.stripe.balance import Balance
    from sandbox.stripe.store import Store

OUTCOMES: Final = ("open", "inquiry", "won", "lost")
DUE_AFTER_S: Final = 9 * DAY_S
CLOSED: Final = ("won", "lost", "warning_closed")


class Disputes:
    """Everything that changes a dispute."""

    def __init__(self, store: Store, balance: Balance) -> None:
        """A dispute takes its money, and a fee, from the balance."""
        self._store = store
        self._balance = balance

    def open(self, charge: Json, *, inquiry: bool) -> Json:
        """Open a dispute about a captured charge; an inquiry moves no money."""
        dispute: Json = {
            "id": new_id("du_"),
            "amount": charge["amount_captured"],
            "charge": charge["id"],
            "created": self._store.now,
            "currency": charge["currency"],
            "payment_intent": charge["payment_intent"],
            "status": "warning_needs_response" if inquiry else "needs_response",
            "is_charge_refundable": inquiry,
            "evidence_details": {
                "due_by": self._store.now + DUE_AFTER_S, "has_evidence": False, "past_due": False,
                "submission_count": 0, "enhanced_eligibility": {},
            },
            "_reference": charge["_reference"],
            "_row": charge["_row"],
        }  # fmt: skip
        charge["disputed"] = True
        self._store.put("charges", charge)
        self._save(dispute)
        self._emit("charge.dispute.created", dispute)
        if not inquiry:
            self._move(dispute, -dispute["amount"], dispute_fee(dispute["currency"]), "dispute")
            self._save(dispute)
            self._emit("charge.dispute.funds_withdrawn", dispute)
        return dispute

    def close(self, dispute: Json, outcome: str) -> None:
        """End a dispute: won gives the money back, lost keeps it gone."""
        if dispute["status"].startswith("warning"):
            outcome = "warning_closed"
        dispute["status"] = outcome
        if outcome != "lost":
            charge = self._store.get("charges", dispute["charge"])
            charge["disputed"] = outcome == "won"
            self._store.put("charges", charge)
        if outcome == "won":
            self._move(dispute, dispute["amount"], 0, "dispute_reversal")
            self._emit("charge.dispute.funds_reinstated", dispute)
        self._save(dispute)
        self._emit("charge.dispute.closed", dispute)

    def update(self, dispute: Json, params: Json) -> Json:
        """``POST /v1/disputes/{id}``: evidence, handed in unless ``submit`` is false."""
        if dispute["status"] in CLOSED:
            raise refused("This dispute is already closed.")
        names = ("evidence", "evidence_details", "metadata", "status")
        previous = {name: dispute.get(name, {}) for name in names}
        dispute["evidence"] = dispute.get("evidence", {}) | (params.get("evidence") or {})
        details = dispute["evidence_details"] | {"has_evidence": bool(dispute["evidence"])}
        dispute["metadata"] = merged(dispute.get("metadata", {}), params.get("metadata"))
        if params.get("submit", True):
            details["submission_count"] += 1
            waiting = dispute["status"].startswith("warning")
            dispute["status"] = "warning_under_review" if waiting else "under_review"
        dispute["evidence_details"] = details
        self._save(dispute)
        changed = {name: old for name, old in previous.items() if dispute[name] != old}
        self._emit("charge.dispute.updated", dispute, changed)
        return dispute

    def accept(self, dispute: Json) -> Json:
        """``POST /v1/disputes/{id}/close``: accept the loss."""
        if dispute["status"] in CLOSED:
            raise refused("This dispute is already closed.")
        self.close(dispute, "lost")
        return dispute

    def control(self, psp_reference: str, outcome: str) -> Json:
        """Open or end a dispute for the control interface; returns the row of the journal."""
        if outcome not in OUTCOMES:
            raise ControlError(f"outcome must be one of {', '.join(OUTCOMES)}; got {outcome!r}.")
        charge = self._find_charge(psp_reference)
        running = [
            dispute
            for dispute in self._store.table("disputes").values()
            if dispute["charge"] == charge["id"] and dispute["status"] not in CLOSED
        ]
        dispute = running[0] if running else self.open(charge, inquiry=outcome == "inquiry")
        if outcome in {"won", "lost"}:
            self.close(dispute, outcome)
        return self._store.context.journal.table("disputes")[f"{NAME}:{dispute['id']}"]

    def _find_charge(self, psp_reference: str) -> Json:
        intent = self._store.table("payment_intents").get(psp_reference, {})
        charge = self._store.table("charges").get(intent.get("latest_charge") or psp_reference)
        if charge is None or not charge["captured"]:
            raise ControlError(f"Stripe has taken no money as {psp_reference}.")
        return charge

    def _move(self, dispute: Json, amount: int, fee: int, category: str) -> None:
        line = self._balance.add(
            "adjustment", category, dispute["id"], amount, dispute["currency"], fee=fee
        )
        shown = self._store.shown("transactions", line)
        dispute["balance_transactions"] = [*dispute.get("balance_transactions", []), shown]

    def _save(self, dispute: Json) -> None:
        self._store.put("disputes", dispute)
        status = dispute["status"]
        word = status if status in {"won", "lost"} else "open"
        if status.startswith("warning"):
            word = "closed" if status == "warning_closed" else "inquiry"
        self._store.context.charges.dispute(
            dispute["id"],
            gateway=NAME,
            charge=dispute["_row"],
            psp_reference=dispute["id"],
            amount=iso_minor(dispute["amount"], dispute["currency"]),
            status=word,
        )

    def _emit(self, kind: str, dispute: Json, previous: Json | None = None) -> None:
        self._store.emit(kind, "disputes", dispute, dispute["_reference"], previous)


def dispute_fee(currency: str) -> int:
    """What Stripe keeps for a dispute, won or lost; the sandbox only knows it in dollars."""
    return DISPUTE_FEE if currency.lower() == "usd" else 0
