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
    of the worker that holds the lease, None for everybody else: evidence is always applied, only
    the right to set the next due time is fenced. ``gateway`` is where it comes from; "" means the
    payment's present gateway. ``asked_at`` is when the request that it answers was sent, by the
    database's clock; None without a request.
    """

    transaction_id: UUID
    outcome: Outcome
    source: Source
    cause_id: str
    attempt: int | None = None
    gateway: str = ""
    asked_at: datetime | None = None
