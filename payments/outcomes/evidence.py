"""One outcome about one payment, with its source: what ``apply_outcomes`` takes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from gateways.outcome import Outcome


class Source(StrEnum):
    """How the evidence reached us: the cause in the audit trail."""

    RESPONSE = "response"
    WEBHOOK = "webhook"
    QUERY = "query"
    SETTLEMENT = "settlement"
    PROOF = "proof"  # that nothing was ever sent
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One outcome about one payment.

    ``cause_id`` names the gateway call or webhook event it comes from. ``attempt`` is the fence
    of the worker that holds the lease, None for everybody else: evidence is never fenced off,
    only the right to say when the payment is due next. ``gateway`` is the one that said it; ""
    where it can only be the gateway where the payment is. ``asked_at`` is when the request went
    out that it answers, by the database's clock; None where nobody asked.
    """

    transaction_id: UUID
    outcome: Outcome
    source: Source
    cause_id: str
    attempt: int | None = None
    gateway: str = ""
    asked_at: datetime | None = None
