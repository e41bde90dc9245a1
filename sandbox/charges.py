"""The general part of the journal: one row for each payment, refund and dispute of all gateways.

This is what a checker counts. ``captured`` is money really taken, ``refunded`` money really given
back; both, like ``amount``, are ISO 4217 minor units, whatever scale the gateway itself uses.
A refund or dispute that has taken money from the shop's balance says when in ``moved_at``, and
``returned_at`` is when that came back.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sandbox.clock import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.clock import Clock
    from sandbox.journal import Journal, Json

# The words that ``status`` of a charge can have.
OPEN = "open"
PENDING = "pending"
AUTHORIZED = "authorized"
CAPTURED = "captured"
REVIEW = "review"
REFUNDED = "refunded"
VOIDED = "voided"
DECLINED = "declined"
CANCELLED = "cancelled"
EXPIRED = "expired"

SUCCEEDED = "succeeded"
# A refund with any other status has given its money back, or will.
FAILED = "failed"

ROWS_DEFAULT = 10_000
ROWS_MAX = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Payment:
    """What a payment's row begins with: ``reference`` is the shop's, ``amount`` ISO minor units."""

    gateway: str
    account: str
    reference: str
    psp_reference: str
    amount: int
    currency: str


class Charges:
    """Rows for charges, refunds and disputes, keyed by gateway and the gateway's own number."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        """Rows live in the journal's tables ``charges``, ``refunds`` and ``disputes``."""
        self._journal = journal
        self._clock = clock

    def open(self, key: str, payment: Payment) -> None:
        """Enter a payment that the gateway now knows; ``key`` is the gateway's own for this row."""
        row = asdict(payment) | {
            "currency": payment.currency.upper(),
            "status": OPEN,
            "captured": 0,
            "refunded": 0,
            "created_at": iso(self._clock.now()),
        }
        self._journal.put("charges", f"{payment.gateway}:{key}", row)

    def update(self, gateway: str, key: str, **changes: str | int) -> None:
        """Change members of a payment's row."""
        row = self._journal.table("charges")[f"{gateway}:{key}"]
        row.update(changes)
        self._journal.put("charges", f"{gateway}:{key}", row)

    def get(self, gateway: str, key: str) -> Json | None:
        """One payment's row."""
        return self._journal.table("charges").get(f"{gateway}:{key}")

    def refund(
        self, key: str, *, gateway: str, charge: str, psp_reference: str, amount: int, status: str
    ) -> None:
        """Enter a refund of the payment whose row is keyed ``charge`` and count it there if it
        moved money.
        """
        paid = self._journal.table("charges")[f"{gateway}:{charge}"]
        row = {
            "gateway": gateway,
            "account": paid["account"],
            "reference": paid["reference"],
            "psp_reference": psp_reference,
            "charge": paid["psp_reference"],
            "status": status,
            "amount": amount,
            "currency": paid["currency"],
            "created_at": iso(self._clock.now()),
        }
        if status == SUCCEEDED:
            row["moved_at"] = row["created_at"]
        self._journal.put("refunds", f"{gateway}:{key}", row)
        if status != FAILED:
            self._give_back(gateway, charge, amount)

    def refund_moved(self, gateway: str, key: str) -> None:
        """A refund has left the balance, whether or not it is over."""
        row = self._journal.table("refunds")[f"{gateway}:{key}"]
        row.setdefault("moved_at", iso(self._clock.now()))
        self._journal.put("refunds", f"{gateway}:{key}", row)

    def refund_status(self, gateway: str, key: str, *, charge: str, status: str) -> None:
        """Change a refund's status; a refund that fails gives its money back to the payment."""
        row = self._journal.table("refunds")[f"{gateway}:{key}"]
        if status == FAILED and row["status"] != FAILED:
            self._give_back(gateway, charge, -row["amount"])
        now = iso(self._clock.now())
        if status == SUCCEEDED:
            row.setdefault("moved_at", now)
        elif status == FAILED and "moved_at" in row:
            row.setdefault("returned_at", now)
        row["status"] = status
        self._journal.put("refunds", f"{gateway}:{key}", row)

    def _give_back(self, gateway: str, charge: str, amount: int) -> None:
        paid = self._journal.table("charges")[f"{gateway}:{charge}"]
        refunded = paid["refunded"] + amount
        full = refunded >= paid["captured"] > 0
        status = REFUNDED if full else CAPTURED if paid["status"] == REFUNDED else paid["status"]
        self.update(gateway, charge, refunded=refunded, status=status)

    def dispute(
        self, key: str, *, gateway: str, charge: str, psp_reference: str, amount: int, status: str
    ) -> Json:
        """Enter or change a dispute about a payment."""
        paid = self._journal.table("charges")[f"{gateway}:{charge}"]
        known = self._journal.table("disputes").get(f"{gateway}:{key}", {})
        row = {
            "gateway": gateway,
            "account": paid["account"],
            "reference": paid["reference"],
            "psp_reference": psp_reference,
            "charge": paid["psp_reference"],
            "status": status,
            "amount": amount,
            "currency": paid["currency"],
            "created_at": known.get("created_at") or iso(self._clock.now()),
        }
        row |= {name: known[name] for name in ("moved_at", "returned_at") if name in known}
        now = iso(self._clock.now())
        if status in {"open", "lost"}:
            row.setdefault("moved_at", now)
        elif "moved_at" in row:
            row.setdefault("returned_at", now)
        self._journal.put("disputes", f"{gateway}:{key}", row)
        return row

    def report(
        self, *, gateway: str | None, reference: str | None, since: float | None, limit: int
    ) -> Json:
        """The journal for the control interface: each list oldest first, cut at the limit."""

        def wanted(row: Json) -> bool:
            return (
                (gateway is None or row["gateway"] == gateway)
                and (reference is None or row["reference"] == reference)
                and (since is None or seconds(row["created_at"]) >= since)
            )

        report: Json = {
            name: list(cut(self._rows(name, wanted), limit))
            for name in ("charges", "refunds", "disputes")
        }
        report["webhooks"] = [shown(row) for row in cut(self._rows("webhooks", wanted), limit)]
        return report

    def _rows(self, name: str, wanted: Callable[[Json], bool]) -> Iterator[Json]:
        return (row for row in self._journal.table(name).values() if wanted(row))


def cut(rows: Iterator[Json], limit: int) -> Iterator[Json]:
    """The first rows up to the limit."""
    for _, row in zip(range(limit), rows, strict=False):
        yield row


def shown(delivery: Json) -> Json:
    """A webhook delivery without its payload, which may hold personal data."""
    return {
        "gateway": delivery["gateway"],
        "reference": delivery["reference"],
        "event_id": delivery["event_id"],
        "type": delivery["payload"].get("type"),
        "dropped": delivery["dropped"],
        "created_at": iso(delivery["created_at"]),
        "attempts": delivery["attempts"],
    }


def seconds(moment: str | float) -> float:
    """Seconds since 1970 from RFC 3339 text or from seconds.

    Raises ValueError for anything else.
    """
    if isinstance(moment, (int, float)):
        return float(moment)
    try:
        return float(moment)
    except ValueError:
        # A "+" in a query string arrives as a space.
        return datetime.fromisoformat(moment.replace(" ", "+")).timestamp()
