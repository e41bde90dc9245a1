"""Balance transactions and payouts: what Stripe credits, what it keeps, and what it pays out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sandbox.stripe.currencies import WHOLE_ONLY
from sandbox.stripe.objects import new_id

if TYPE_CHECKING:
    from sandbox.journal import Json
    from sandbox.stripe.store import Store

# With asynchronous capture the balance transaction of a charge is made a little later.
SETTLE_AFTER_S: Final = 3
AVAILABLE_AFTER_S: Final = 2 * 24 * 3600
DAY_S: Final = 24 * 3600
FEE_PER_MILLE: Final = 29
FEE_FIXED: Final = 30
# The fixed part of the fee is in cents; currencies without cents pay the share only.
NO_FIXED_FEE: Final = ("vnd", "jpy", "krw", "clp", "isk", "ugx", "xaf", "xof", "xpf", "pyg", "vuv")
DISPUTE_FEE: Final = 1500
# What a payout carries is known a little after it was made.
RECONCILED_AFTER_S: Final = 600


class Balance:
    """The account's balance, line by line."""

    def __init__(self, store: Store) -> None:
        """Lines are the table ``transactions``."""
        self._store = store

    def book_charge(self, charge: Json, reference: str) -> None:
        """Journal the line of a captured charge for a little later."""
        # A hold was made long before it is captured.
        due = max(charge["created"] + SETTLE_AFTER_S, self._store.now)
        self._store.context.clock.at(due, lambda: self._settle_late(charge, reference, due))

    def add(
        self, kind: str, category: str, source: str, amount: int, currency: str, **more: int
    ) -> Json:
        """Write one line: ``amount`` is signed and gross, in Stripe's smallest unit.

        ``more`` are ``fee``, and ``at`` for a line that is not of this moment.
        """
        fee, at = more.get("fee", 0), more.get("at", self._store.now)
        details = [
            {"amount": fee, "currency": currency, "type": "stripe_fee", "application": None,
             "description": "Stripe processing fees"},
        ]  # fmt: skip
        record: Json = {
            "id": new_id("txn_"),
            "amount": amount,
            "fee": fee,
            "net": amount - fee,
            "currency": currency,
            "created": at,
            "available_on": at + AVAILABLE_AFTER_S,
            "status": "pending",
            "type": kind,
            "reporting_category": category,
            "source": source,
            "fee_details": details if fee else [],
            "_payout": None,
        }
        self._store.put("transactions", record)
        return record

    def resume(self) -> None:
        """Schedule again the lines of charges that have none yet, and the payouts to come."""
        for charge in self._store.table("charges").values():
            if charge["captured"] and not charge.get("balance_transaction"):
                self.book_charge(charge, charge["_reference"])
        for payout in self._store.table("payouts").values():
            if payout.get("reconciliation_status", "completed") != "completed":
                self._book_reconciliation(payout)
        self._book_payout()

    def settle(self, charge: Json, reference: str, at: int | None = None) -> None:
        """Write the line of a captured charge: now, as a synchronous capture does, or as of
        ``at``.
        """
        at = self._store.now if at is None else at
        amount, currency = charge["amount_captured"], charge["currency"]
        fee = fee_of(amount, currency)
        line = self.add("charge", "charge", charge["id"], amount, currency, fee=fee, at=at)
        charge["balance_transaction"] = line["id"]
        self._store.put("charges", charge)
        self._store.emit(
            "charge.updated", "charges", charge, reference, {"balance_transaction": None}
        )

    def _settle_late(self, charge: Json, reference: str, at: int) -> None:
        if not charge.get("balance_transaction"):
            self.settle(charge, reference, at)

    def sums(self) -> Json:
        """``GET /v1/balance``: what is there by currency, and what only will be."""
        sums: dict[str, dict[str, int]] = {"available": {}, "pending": {}}
        for line in self._store.table("transactions").values():
            ready = line["status"] == "available" or line["available_on"] <= self._store.now
            of = sums["available" if ready else "pending"]
            of[line["currency"]] = of.get(line["currency"], 0) + line["net"]
        shown = {
            word: [
                {"amount": net, "currency": currency, "source_types": {"card": net}}
                for currency, net in (of or {"usd": 0}).items()
            ]
            for word, of in sums.items()
        }
        return {"object": "balance", "livemode": False, **shown}

    def _book_payout(self) -> None:
        midnight = (self._store.now // DAY_S + 1) * DAY_S
        self._store.context.clock.at(midnight, self._pay_out)

    def _pay_out(self) -> None:
        """Pay out, once a day and by currency, every line that has become available."""
        by_currency: dict[str, list[Json]] = {}
        for line in self._store.table("transactions").values():
            if line["_payout"] is None and line["available_on"] <= self._store.now:
                by_currency.setdefault(line["currency"], []).append(line)
        for currency, lines in by_currency.items():
            self._payout(currency, lines)
        self._book_payout()

    def _payout(self, currency: str, lines: list[Json]) -> None:
        total = sum(line["net"] for line in lines)
        if total <= 0:
            # The next one pays back first what the shop owes.
            return
        payout: Json = {
            "id": new_id("po_"),
            "amount": total,
            "currency": currency,
            "created": self._store.now,
            "arrival_date": self._store.now,
            "reconciliation_status": "in_progress",
        }
        own = self.add("payout", "payout", payout["id"], -total, currency)
        payout["balance_transaction"] = own["id"]
        for line in (*lines, own):
            line.update(_payout=payout["id"], status="available")
            self._store.put("transactions", line)
        self._store.put("payouts", payout)
        self._store.emit("payout.paid", "payouts", payout, payout["id"])
        self._book_reconciliation(payout)

    def _book_reconciliation(self, payout: Json) -> None:
        due = payout["created"] + RECONCILED_AFTER_S
        self._store.context.clock.at(due, lambda: self._reconcile(payout))

    def _reconcile(self, payout: Json) -> None:
        payout["reconciliation_status"] = "completed"
        self._store.put("payouts", payout)
        self._store.emit("payout.reconciliation_completed", "payouts", payout, payout["id"])


def fee_of(amount: int, currency: str) -> int:
    """Stripe's fee: 2.9 % and, where the currency has cents, 30 of them."""
    fixed = 0 if currency.lower() in NO_FIXED_FEE else FEE_FIXED
    fee = amount * FEE_PER_MILLE // 1000 + fixed
    return fee // 100 * 100 if currency.lower() in WHOLE_ONLY else fee
