"""What a gateway said, in our words: the same for an answer, a webhook and a settlement record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from gateways.operation import Json, Verb
from money.money import Money


class OutcomeKind(StrEnum):
    """What one answer, webhook or record says about one transaction."""

    SUCCEEDED = "SUCCEEDED"  # money taken
    AUTHORIZED = "AUTHORIZED"  # money held
    DECLINED = "DECLINED"  # a definite and final no; ``failure`` says why
    ACTION_REQUIRED = "ACTION_REQUIRED"  # the shopper must go to ``next_action``
    PENDING = "PENDING"  # the gateway is at work, or the shopper may still try again
    UNPAID = "UNPAID"  # the gateway's word: nothing paid so far, or it never heard of it
    NOT_DONE = "NOT_DONE"  # certainly not done (refused connection or credentials): retry
    UNKNOWN = "UNKNOWN"  # we do not know; ask again

    @property
    def is_answer(self) -> bool:
        """Whether the gateway has answered; if not, what was asked is still open."""
        return self not in {OutcomeKind.NOT_DONE, OutcomeKind.UNKNOWN}


class FailureCode(StrEnum):
    """Our normal reasons for a no. Every adapter maps its PSP's words onto these."""

    DECLINED = "declined"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    CARD_EXPIRED = "card_expired"
    INCORRECT_CODE = "incorrect_code"  # CVC, OTP or password
    AUTHENTICATION_FAILED = "authentication_failed"  # 3-D Secure, too many wrong tries
    ACCOUNT_BLOCKED = "account_blocked"  # lost, stolen, locked, closed, not registered
    LIMIT_EXCEEDED = "limit_exceeded"
    SUSPECTED_FRAUD = "suspected_fraud"
    METHOD_UNAVAILABLE = "method_unavailable"  # bank or wallet down for maintenance
    INVALID_REQUEST = "invalid_request"  # the gateway refused what we sent
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    NEVER_SENT = "never_sent"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why not: our code, the gateway's own code, and its text with nothing secret in it."""

    code: FailureCode
    gateway_code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class NextAction:
    """Where the shopper must go. ``qr`` is the text to draw as a QR code, where there is one."""

    url: str
    qr: str = ""
    app_url: str = ""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One HTTP exchange as it may be kept: redacted, for the payment's page in the admin.

    ``answered_at`` is the gateway's own clock (its ``Date``, to the second), where it is given.
    """

    request: Json
    response: Json
    http_status: int | None
    duration_ms: int
    answered_at: datetime | None = None


# What a receipt may say about how it was paid.
SHOWN_FACTS: Final = ("card_brand", "card_last4", "bank")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one piece of evidence says. Only what the gateway said: nothing is assumed.

    ``money`` is what was taken (SUCCEEDED) or held (AUTHORIZED), in ISO minor units; with the
    other kinds it is the amount that the evidence names, to be checked and never booked.
    ``live`` and ``account`` are None or "" where the gateway does not say them. ``psp_reference``
    is their id of the payment; ``psp_data`` are further ids of theirs that later verbs need
    (``capture_id``, ``payment_intent``, ``transaction_no``…) and harmless facts for people
    (``SHOWN_FACTS``). ``next_verb`` should follow as soon as the gateway
    allows it: the capture of an approval, or the query that a mere hint asks for; None leaves it
    to the schedule of queries. ``retry_after_s`` is the wait that the gateway itself demands.
    """

    kind: OutcomeKind
    money: Money | None = None
    reference: str = ""
    psp_reference: str = ""
    account: str = ""
    live: bool | None = None
    failure: Failure | None = None
    next_action: NextAction | None = None
    psp_data: Mapping[str, str] = field(default_factory=dict)
    next_verb: Verb | None = None
    retry_after_s: int | None = None
    exchange: Exchange | None = None
