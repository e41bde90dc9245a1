"""A PSP's webhook as it arrives, the events that are read from it, and our answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateways.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook as it arrived: raw bytes, raw query string, lower-case header names.

    ``sender`` is the caller's IP address; "" where no trusted proxy reports it.
    """

    body: bytes
    query_string: str
    headers: Mapping[str, str]
    received_at: datetime
    sender: str = ""


class WebhookRefused(Exception):
    """Not proven to come from the gateway. ``reason`` is for staff, never for the sender."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class WebhookUnverifiable(Exception):
    """Neither proven nor refuted now: the proof is out of reach. ``reason`` is for staff.

    The delivery is stored without effect and verified later; the gateway is answered ``FAILED``
    and should send it again.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Subject(StrEnum):
    """What an event is about. The outcome of a refund or a dispute is never a payment's."""

    PAYMENT = "PAYMENT"
    REFUND = "REFUND"  # reference and psp_reference are the refund's
    # reference is the payment's, psp_reference the dispute's. SUCCEEDED: the issuer took the money;
    # DECLINED: it did not, or gave it back.
    DISPUTE = "DISPUTE"


@dataclass(frozen=True, slots=True)
class Notice:
    """One verified event out of a webhook. ``outcome`` is None when it moves nothing.

    ``event_id`` is the PSP's id, or a hash of what makes the event itself where it has none.
    ``payment_psp_reference`` names the payment that a refund or a dispute belongs to.
    """

    event_id: str
    event_type: str
    reference: str = ""  # ours, where the event carries it
    psp_reference: str = ""  # theirs, to match by when ours is missing
    outcome: Outcome | None = None
    subject: Subject = Subject.PAYMENT
    payment_psp_reference: str = ""


class WebhookResult(StrEnum):
    """What became of a delivery; each gateway has its own answer to each."""

    APPLIED = "APPLIED"
    REPEATED = "REPEATED"  # the same facts again: nothing to do
    IGNORED = "IGNORED"  # verified and stored, of no use to us
    UNKNOWN_REFERENCE = "UNKNOWN_REFERENCE"  # verified and stored, matches no payment yet
    MISMATCH = "MISMATCH"  # other amount, currency, account or mode: a case was opened
    REFUSED = "REFUSED"  # not proven genuine
    # Not verified or not applied now. We retry, and the gateway should send it again.
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Answer:
    """The HTTP answer to a webhook."""

    status: int
    body: str = ""
    content_type: str = "text/plain; charset=utf-8"


def make_answers(
    *,
    stored: Answer = Answer(200),
    refused: Answer = Answer(400),
    failed: Answer = Answer(503),
) -> Mapping[WebhookResult, Answer]:
    """The answer to each result, for gateways that read nothing but the status.

    ``stored``: kept, and never needed again; ``refused``: not genuine; ``failed``: send it again.
    """
    return {
        **dict.fromkeys(WebhookResult, stored),
        WebhookResult.REFUSED: refused,
        WebhookResult.FAILED: failed,
    }
