"""What every gateway adapter is: one class that speaks one PSP's wire protocol.

An adapter is pure protocol. It gets everything it needs in its arguments and its own frozen
``Config``, and returns an ``Outcome``. It never touches the database, the settings or another
adapter, and it never decides what happens to a payment: that is ``services/outcomes.py``.

A method (``card``, ``momo``) may have channels: the doors that the gateway opens for it, such as a
QR code or a bank. A payment that names none leaves the choice to the gateway's own page.

The life of one operation::

    request = gateway.freeze(operation)          # pure; stored before anything is sent
    outcome = gateway.perform(operation)         # the network; may be repeated, byte for byte
    notices = gateway.read_webhook(delivery)     # verified, parsed; raises WebhookRefused
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final, Self

from orders.money import Money
from payments.gateways.capabilities import Capabilities
from payments.gateways.settlement import Payout, SettlementRecord

# A read that takes longer than this is an unknown outcome. Leases outlast both together.
CONNECT_TIMEOUT_S: Final = 3.0
READ_TIMEOUT_S: Final = 20.0

JsonValue = object  # what json.dumps takes: str, int, bool, None, lists and dicts of these
Json = dict[str, JsonValue]


class Verb(StrEnum):
    """What a GatewayCall does at the gateway."""

    CREATE = "CREATE"  # start collecting (and confirm, where a token is given)
    QUERY = "QUERY"  # read the truth; moves nothing
    CAPTURE = "CAPTURE"
    VOID = "VOID"  # release an authorization
    CLOSE = "CLOSE"  # end an unpaid page or intent so that it can no longer be paid
    REFUND = "REFUND"
    QUERY_REFUND = "QUERY_REFUND"


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

    ``answered_at`` is the gateway's own clock (its ``Date``, to the second), where it told.
    """

    request: Json
    response: Json
    http_status: int | None
    duration_ms: int
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one piece of evidence says. Only what the gateway said: nothing is assumed.

    ``money`` is what was taken (SUCCEEDED) or held (AUTHORIZED), in ISO minor units; with the
    other kinds it is the amount that the evidence names, to be checked and never booked.
    ``live`` and ``account`` are None or "" where the gateway does not say them. ``psp_reference``
    is their id of the payment; ``psp_data`` are further ids of theirs that later verbs need
    (``capture_id``, ``payment_intent``, ``transaction_no``…) and harmless facts for staff
    (``card_brand``, ``card_last4``, ``bank``). ``retry_after_s`` is the gateway's own wish.
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
    retry_after_s: int | None = None
    exchange: Exchange | None = None


@dataclass(frozen=True, slots=True)
class Intent:
    """A transaction as the gateway sees it, frozen when it was created."""

    reference: str  # 32 lower-case hex digits: ours, never reused
    money: Money
    order_number: str
    description: str
    method: str
    capture: str  # "automatic" | "manual"
    return_url: str  # where the PSP sends the shopper back to, whatever happened
    cancel_url: str
    webhook_url: str
    customer_ip: str
    customer_email: str
    locale: str  # "en" | "vi"
    created_at: datetime  # aware, UTC
    expires_at: datetime  # when the link we hand out ends
    has_token: bool
    channel: str = ""  # the door of the method; "": the shopper chooses at the gateway
    psp_reference: str = ""
    psp_data: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """One verb on one transaction (or refund), as stored in a GatewayCall.

    ``reference`` is our own id of the operation and its idempotency key at the gateway, at most
    32 hex digits. ``request`` is what ``freeze`` returned: re-sent as it is. ``token`` is the
    one-time payment token of a CREATE, kept out of ``request`` because that is stored in the clear.
    """

    verb: Verb
    reference: str
    intent: Intent
    now: datetime
    request: Json = field(default_factory=dict)
    token: str = ""
    money: Money | None = None  # CAPTURE and REFUND: how much
    actor: str = ""  # REFUND: who asked, for gateways that want a name
    # QUERY_REFUND: the REFUND operation it asks about, by our reference and by theirs.
    refund_reference: str = ""
    refund_psp_reference: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook as it came in: raw bytes, raw query string, lower-case header names."""

    body: bytes
    query_string: str
    headers: Mapping[str, str]
    received_at: datetime


class Subject(StrEnum):
    """What an event is about. The outcome of a refund or a dispute is never a payment's."""

    PAYMENT = "PAYMENT"
    REFUND = "REFUND"  # reference and psp_reference are the refund's
    # SUCCEEDED: the issuer took the money; DECLINED: it did not, or gave it back.
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


class NotExpressible(ValueError):
    """This gateway has no such verb, or cannot be told this amount or address."""


class WebhookRefused(Exception):
    """Not proven to come from the gateway. ``reason`` is for staff, never for the sender."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class WebhookUnverifiable(Exception):
    """Neither proven nor refuted now: what proves it is out of reach. ``reason`` is for staff.

    It is kept, has no effect, and is verified later; ``FAILED`` answers the gateway, which
    should then send it again.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class WebhookResult(StrEnum):
    """What became of a delivery; each gateway is answered in its own words."""

    APPLIED = "APPLIED"
    REPEATED = "REPEATED"  # the same facts again: nothing to do
    IGNORED = "IGNORED"  # verified, kept, and nothing for us in it
    UNKNOWN_REFERENCE = "UNKNOWN_REFERENCE"  # verified and kept, matches nothing yet
    MISMATCH = "MISMATCH"  # other amount, currency, account or mode: a case was opened
    REFUSED = "REFUSED"  # not proven genuine
    # Could not be verified or applied now. We try again, and the gateway should send it again.
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Answer:
    """The HTTP answer to a webhook."""

    status: int
    body: str = ""
    content_type: str = "text/plain; charset=utf-8"


class Gateway(ABC):
    """One PSP. Instances are cheap, hold a connection pool, and are safe to share by threads."""

    # The PSP's own name on the class; on an instance that of its entry in the settings, because
    # one PSP may hold several accounts of ours.
    name: str
    # The currencies that this account takes; None: all that the gateway takes.
    currencies: frozenset[str] | None = None
    capabilities: ClassVar[Capabilities]
    # When a silent transaction is asked about again, counted from the previous look; the last
    # entry repeats. ``query_interval_min`` is what the gateway itself allows.
    query_schedule: ClassVar[tuple[timedelta, ...]] = (
        timedelta(seconds=30),
        timedelta(minutes=2),
        timedelta(minutes=10),
        timedelta(hours=1),
    )
    query_interval_min: ClassVar[timedelta] = timedelta(seconds=2)
    # For how long a repeated CREATE with the same key is the same CREATE. None: for ever. Zero:
    # never; then only a query may follow an unknown outcome.
    key_lifetime: ClassVar[timedelta | None] = timedelta(hours=20)
    link_lifetime: ClassVar[timedelta] = timedelta(minutes=15)
    # How long after the link's end "unpaid" becomes the gateway's last word.
    expiry_margin: ClassVar[timedelta] = timedelta(minutes=5)
    # One call lasts at most the first and twice the second.
    connect_timeout_s: float = CONNECT_TIMEOUT_S
    read_timeout_s: float = READ_TIMEOUT_S
    # The verbs that need no network; a gateway that is down does not hold them up.
    local_verbs: ClassVar[frozenset[Verb]] = frozenset()
    # The HTTP method of its webhooks.
    webhook_method: ClassVar[str] = "POST"
    # How many calls of one worker process run side by side.
    concurrency: ClassVar[int] = 16

    @classmethod
    @abstractmethod
    def from_settings(cls, options: Mapping[str, str]) -> Self:
        """Build it from a flat dict of strings. Raises ValueError naming what is wrong."""

    @property
    def psp(self) -> str:
        """Whose protocol it speaks: the same for all accounts there."""
        return type(self).name

    @property
    @abstractmethod
    def account(self) -> str:
        """Our account there, as it must stand in every answer that names one."""

    @property
    @abstractmethod
    def live(self) -> bool:
        """Whether real money moves with these credentials."""

    def named_account(self) -> str:
        """The account that the gateway says these credentials are of; "" where it does not say."""
        return ""

    def has_channel(self, method: str, channel: str) -> bool:
        """Whether ``channel`` is a door of ``method`` here; "" always is."""
        if channel in {"", *self.capabilities.channels.get(method, ())}:
            return True
        codes = self.capabilities.channel_codes.get(method)
        return codes is not None and codes.fullmatch(channel) is not None

    def limits(self, method: str, channel: str) -> Mapping[str, tuple[int, int]]:
        """As ``capabilities.limits``, of one door."""
        del method, channel
        return self.capabilities.limits

    def can_hold(self, method: str, channel: str) -> bool:
        """Whether that door can hold money for a later capture."""
        del method, channel
        return self.capabilities.manual_capture

    @abstractmethod
    def freeze(self, operation: Operation) -> Json:
        """The request of ``operation``, complete but for the token; no network, no clock.

        Empty where nothing has to be sent and ``perform`` answers by itself. Raises
        ``NotExpressible``; nothing has been sent then.
        """

    @abstractmethod
    def perform(self, operation: Operation) -> Outcome:
        """Send ``operation.request``. Gateway trouble is an Outcome, never an exception."""

    @abstractmethod
    def read_webhook(self, delivery: Delivery) -> tuple[Notice, ...]:
        """Verify and parse. Raises ``WebhookRefused`` for what is not proven genuine.

        Raises ``WebhookUnverifiable`` where the proof itself cannot be had now.
        """

    @abstractmethod
    def answer_webhook(self, result: WebhookResult) -> Answer:
        """What this gateway wants to hear."""

    def sample_webhook(self, now: datetime) -> Delivery | None:
        """A webhook about nothing, signed with our newest secret as the gateway would sign it.

        It names itself ``sample``. Read back, it shows that signing and verifying agree. None
        where only the gateway can sign.
        """
        del now
        return None

    def settlement_records(self, start: datetime, end: datetime) -> Iterator[SettlementRecord]:
        """What moved our balance there, from ``start`` up to ``end`` (aware, to the second).

        Comes in any order. Raises ``ReportUnavailable``, perhaps half-way, and ``NotExpressible``.
        """
        raise NotExpressible(f"{self.name} has no report to ask for: {start} to {end}")

    def read_settlement_file(self, content: bytes) -> Iterator[SettlementRecord]:
        """The records of one file of the gateway's. Raises as ``settlement_records`` does."""
        raise NotExpressible(f"{self.name} publishes no files: {len(content)} bytes")

    def payouts(self, start: datetime, end: datetime) -> Iterator[Payout]:
        """Payouts that were made from ``start`` up to ``end``. Raises in the same way."""
        raise NotExpressible(f"{self.name} lists no payouts: {start} to {end}")

    def payout_records(self, psp_reference: str) -> Iterator[SettlementRecord]:
        """All that one payout carries and its own record; they add up. Raises in the same way."""
        raise NotExpressible(f"{self.name} does not say what is in a payout: {psp_reference}")

    def disputes(self, intent: Intent) -> tuple[Notice, ...]:
        """Every dispute about a payment, as a webhook would tell it. Raises in the same way."""
        raise NotExpressible(f"{self.name} has no disputes to ask for: {intent.reference}")

    def dispute(self, psp_reference: str) -> Notice:
        """One dispute by its own id. Raises in the same way."""
        raise NotExpressible(f"{self.name} has no disputes to ask for: {psp_reference}")
