"""What every gateway adapter is: one class that implements one PSP's wire protocol.

An adapter is pure protocol. It gets everything it needs in its arguments and its own frozen
``Config``, and returns an ``Outcome``. It never touches the database, the settings or another
adapter, and it never decides what happens to a payment: that is ``payments/outcomes/apply.py``.

A method (``card``, ``momo``) may have channels, such as a QR code or a bank. A payment that names
none leaves the choice to the gateway's own page.

The life of one operation::

    request = gateway.freeze(operation)          # pure; stored before anything is sent
    outcome = gateway.perform(operation)         # the network; may be repeated, byte for byte
    notices = gateway.read_webhook(delivery)     # verified, parsed; raises WebhookRefused

Beside this file: what is asked (``operation``), what is answered (``outcome``), what arrives
unasked (``webhook``), what a gateway can do (``capabilities``), what moved our
balance there (``settlement``); and ``http_gateway``, which most adapters start from.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import ClassVar, Final, Self

from gateways.capabilities import Capabilities
from gateways.operation import Json, Operation, PaymentDetails, UnsupportedOperation, Verb
from gateways.outcome import Outcome, OutcomeKind
from gateways.settlement import Payout, SettlementRecord
from gateways.webhook import Answer, Delivery, Notice, WebhookRefused, WebhookResult

# Nothing is known, or the request was certainly not executed: possible with every verb.
_NO_ANSWER: Final = frozenset({OutcomeKind.NOT_DONE, OutcomeKind.UNKNOWN})

# Which outcome kinds may answer which verb. The contract tests hold every adapter to it.
OUTCOMES_BY_VERB: Final[Mapping[Verb, frozenset[OutcomeKind]]] = {
    # With a token the money may be taken or held at once; else the shopper must go to a page.
    # A repeated CREATE is answered with what happened to the payment since.
    Verb.CREATE: _NO_ANSWER
    | {
        OutcomeKind.ACTION_REQUIRED,
        OutcomeKind.SUCCEEDED,
        OutcomeKind.AUTHORIZED,
        OutcomeKind.DECLINED,
        OutcomeKind.PENDING,
        OutcomeKind.UNPAID,
    },
    # To a query, an open page is UNPAID; it hands out no page again.
    Verb.QUERY: _NO_ANSWER
    | {
        OutcomeKind.SUCCEEDED,
        OutcomeKind.AUTHORIZED,
        OutcomeKind.DECLINED,
        OutcomeKind.PENDING,
        OutcomeKind.UNPAID,
    },
    # AUTHORIZED and ACTION_REQUIRED: where an approved order is captured, which may only hold the
    # money, or send the shopper back to the page. DECLINED: the hold is gone.
    Verb.CAPTURE: _NO_ANSWER
    | {
        OutcomeKind.SUCCEEDED,
        OutcomeKind.AUTHORIZED,
        OutcomeKind.DECLINED,
        OutcomeKind.ACTION_REQUIRED,
        OutcomeKind.PENDING,
        OutcomeKind.UNPAID,
    },
    # DECLINED: the hold is released, which is a final no to the payment. SUCCEEDED: too late, it
    # was captured. AUTHORIZED: it still stands.
    Verb.VOID: _NO_ANSWER
    | {
        OutcomeKind.DECLINED,
        OutcomeKind.SUCCEEDED,
        OutcomeKind.AUTHORIZED,
        OutcomeKind.PENDING,
    },
    # DECLINED: the page can no longer be paid. The others: it was paid before.
    Verb.CLOSE: _NO_ANSWER
    | {
        OutcomeKind.DECLINED,
        OutcomeKind.SUCCEEDED,
        OutcomeKind.AUTHORIZED,
        OutcomeKind.PENDING,
        OutcomeKind.UNPAID,
    },
    # Of the refund, not of its payment.
    Verb.REFUND: _NO_ANSWER
    | {
        OutcomeKind.SUCCEEDED,
        OutcomeKind.DECLINED,
        OutcomeKind.PENDING,
    },
    # UNPAID: there is no such refund.
    Verb.QUERY_REFUND: _NO_ANSWER
    | {
        OutcomeKind.SUCCEEDED,
        OutcomeKind.DECLINED,
        OutcomeKind.PENDING,
        OutcomeKind.UNPAID,
    },
}

# A read that takes longer than this is an unknown outcome. Leases outlast both together.
CONNECT_TIMEOUT_S: Final = 3.0
READ_TIMEOUT_S: Final = 20.0

Network = IPv4Network | IPv6Network


class Gateway(ABC):
    """One account at one PSP.

    Instances are cheap, hold a connection pool, and are safe to share by threads.
    """

    # The PSP's own name on the class; on an instance the name of its entry in the settings,
    # because one PSP may hold several accounts of ours.
    name: str
    # The currencies that this account takes; None: all that the gateway takes.
    currencies: frozenset[str] | None = None
    # The networks its webhooks come from; empty: any. A second check, which proves nothing alone.
    webhook_senders: tuple[Network, ...] = ()
    capabilities: ClassVar[Capabilities]
    # The waits between two queries about a payment that gets no answer; the last one repeats.
    # ``query_interval_min`` is the shortest interval that the gateway allows.
    query_schedule: ClassVar[tuple[timedelta, ...]] = (
        timedelta(seconds=30),
        timedelta(minutes=2),
        timedelta(minutes=10),
        timedelta(hours=1),
    )
    query_interval_min: ClassVar[timedelta] = timedelta(seconds=2)
    # How long the gateway remembers an idempotency key, so that a repeat is the same operation.
    # None: for ever. Zero: never; then only a query may follow an unknown outcome.
    key_lifetime: ClassVar[timedelta | None] = timedelta(hours=20)
    link_lifetime: ClassVar[timedelta] = timedelta(minutes=15)
    # How long after the link's end "unpaid" becomes final.
    expiry_margin: ClassVar[timedelta] = timedelta(minutes=5)
    # One operation lasts at most the first and twice the second.
    connect_timeout_s: float = CONNECT_TIMEOUT_S
    read_timeout_s: float = READ_TIMEOUT_S
    # The verbs that need no network, and can be performed while the gateway is down.
    local_verbs: ClassVar[frozenset[Verb]] = frozenset()
    # The HTTP method of its webhooks, and the headers that prove them, in lower case: they are
    # stored with the event, so that it can be verified again, and must not be secret.
    webhook_method: ClassVar[str] = "POST"
    proof_headers: ClassVar[tuple[str, ...]] = ()
    # The keys of ``psp_data`` that hold the PSP's further ids of a payment, as its pages and a
    # shopper's statement show them: staff can search for each.
    secondary_reference_keys: ClassVar[tuple[str, ...]] = ()
    # How many calls of one worker process run side by side.
    concurrency: ClassVar[int] = 16

    def __init__(self, *, account: str, live: bool, read_timeout_s: float | None = None) -> None:
        """``account`` is our merchant account; every answer that names an account must name it.

        ``live`` is whether real money moves with these credentials. ``read_timeout_s`` overrides
        the class's own.
        """
        self.account = account
        self.live = live
        self.read_timeout_s = read_timeout_s or type(self).read_timeout_s

    @classmethod
    @abstractmethod
    def from_settings(cls, options: Mapping[str, str]) -> Self:
        """Build it from a flat dict of strings. Raises ValueError naming what is wrong."""

    @property
    def psp(self) -> str:
        """The PSP's own name: the same for all accounts there."""
        return type(self).name

    def needs_network(self, operation: Operation) -> bool:
        """False where we answer without the gateway: the answer says nothing about its health."""
        return bool(operation.request) and operation.verb not in self.local_verbs

    def named_account(self) -> str:
        """The account that the credentials belong to, by the gateway's answer; "" if unknown."""
        return ""

    def has_channel(self, method: str, channel: str) -> bool:
        """Whether ``method`` has this ``channel`` here; "" always is one."""
        if channel in {"", *self.capabilities.channels.get(method, ())}:
            return True
        codes = self.capabilities.channel_codes.get(method)
        return codes is not None and codes.fullmatch(channel) is not None

    def limits(self, method: str, channel: str) -> Mapping[str, tuple[int, int]]:
        """As ``capabilities.limits``, of one channel."""
        return self.capabilities.limits

    def can_hold(self, method: str, channel: str) -> bool:
        """Whether that channel can hold money for a later capture."""
        return self.capabilities.manual_capture

    def refund_limits(self, details: PaymentDetails) -> tuple[int, int]:
        """The smallest and the largest amount of one refund of ``details``, in its minor units.

        Earlier refunds are not subtracted.
        """
        return 1, details.money.minor

    def unsupported_reason(self, operation: Operation) -> str:
        """Why this gateway cannot be asked for ``operation``; "" when it can. Sends nothing."""
        try:
            self.freeze(operation)
        except UnsupportedOperation as error:
            return str(error)
        return ""

    @abstractmethod
    def freeze(self, operation: Operation) -> Json:
        """The request of ``operation``, complete but for the token; no network, no clock.

        Empty where nothing has to be sent and ``perform`` answers by itself. Raises
        ``UnsupportedOperation``; nothing has been sent then.
        """

    @abstractmethod
    def perform(self, operation: Operation) -> Outcome:
        """Send ``operation.request``. A failing gateway is an Outcome, never an exception."""

    @abstractmethod
    def read_webhook(self, delivery: Delivery) -> tuple[Notice, ...]:
        """Verify and parse. Raises ``WebhookRefused`` for what is not proven genuine.

        Raises ``WebhookUnverifiable`` where the proof itself is not available now.
        """

    def require_known_sender(self, delivery: Delivery) -> None:
        """Raises ``WebhookRefused`` unless the sender is within ``webhook_senders``."""
        if self.webhook_senders and not self._is_known_sender(delivery.sender):
            raise WebhookRefused(f"{delivery.sender} is outside the gateway's networks")

    def _is_known_sender(self, sender: str) -> bool:
        return bool(sender) and any(ip_address(sender) in each for each in self.webhook_senders)

    @abstractmethod
    def answer_webhook(self, result: WebhookResult) -> Answer:
        """The HTTP answer that this gateway expects."""

    def sample_webhook(self, now: datetime) -> Delivery | None:
        """A webhook about no payment, signed with our newest secret as the gateway would sign it.

        Its reference is ``sample``. Reading it back shows that signing and verifying agree. None
        where only the gateway can sign.
        """
        return None

    def settlement_records(self, start: datetime, end: datetime) -> Iterator[SettlementRecord]:
        """What moved our balance there, from ``start`` up to ``end`` (aware, to the second).

        In any order. Raises ``ReportUnavailable``, perhaps half-way, or ``UnsupportedOperation``.
        """
        raise UnsupportedOperation(f"{self.name} has no settlement API: {start} to {end}")

    def read_settlement_file(self, content: bytes) -> Iterator[SettlementRecord]:
        """The records of one settlement file. Raises as ``settlement_records`` does."""
        raise UnsupportedOperation(f"{self.name} has no settlement files: {len(content)} bytes")

    def payouts(self, start: datetime, end: datetime) -> Iterator[Payout]:
        """Payouts that were made from ``start`` up to ``end``. Raises as above."""
        raise UnsupportedOperation(f"{self.name} lists no payouts: {start} to {end}")

    def payout_records(self, psp_reference: str) -> Iterator[SettlementRecord]:
        """The records of one payout and of what it carries; they add up. Raises as above."""
        raise UnsupportedOperation(f"{self.name} itemises no payouts: {psp_reference}")

    def disputes(self, details: PaymentDetails) -> tuple[Notice, ...]:
        """Every dispute about a payment, as a webhook would report it. Raises as above."""
        raise UnsupportedOperation(f"{self.name} has no dispute API: {details.reference}")

    def dispute(self, psp_reference: str) -> Notice:
        """One dispute by its own id. Raises as above."""
        raise UnsupportedOperation(f"{self.name} has no dispute API: {psp_reference}")
