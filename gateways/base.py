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

Beside this file: what is asked (``operation``), what it says (``outcome``), what it sends unasked
(``webhook``), what it can do (``capabilities``), what it did to our balance (``settlement``).
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import ClassVar, Final, Self

from gateways.capabilities import Capabilities
from gateways.operation import Json, Operation, PaymentDetails, UnsupportedOperation, Verb
from gateways.outcome import Outcome
from gateways.settlement import Payout, SettlementRecord
from gateways.webhook import Answer, Delivery, Notice, WebhookRefused, WebhookResult

# A read that takes longer than this is an unknown outcome. Leases outlast both together.
CONNECT_TIMEOUT_S: Final = 3.0
READ_TIMEOUT_S: Final = 20.0

Network = IPv4Network | IPv6Network


class Gateway(ABC):
    """One PSP. Instances are cheap, hold a connection pool, and are safe to share by threads."""

    # The PSP's own name on the class; on an instance that of its entry in the settings, because
    # one PSP may hold several accounts of ours.
    name: str
    # The currencies that this account takes; None: all that the gateway takes.
    currencies: frozenset[str] | None = None
    # Where its webhooks come from; empty: anywhere. A second lock, that proves nothing by itself.
    webhook_senders: tuple[Network, ...] = ()
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
    # The HTTP method of its webhooks, and the headers that prove them, in lower case: they are kept
    # with the event, so that it can be verified again, and must not be secret.
    webhook_method: ClassVar[str] = "POST"
    proof_headers: ClassVar[tuple[str, ...]] = ()
    # The keys of ``psp_data`` that hold further numbers of theirs for a payment, as their pages and
    # a shopper's statement show them: staff find it by each.
    secondary_reference_keys: ClassVar[tuple[str, ...]] = ()
    # How many calls of one worker process run side by side.
    concurrency: ClassVar[int] = 16

    def __init__(self, *, account: str, live: bool, read_timeout_s: float | None = None) -> None:
        """``account`` is ours there, as it must stand in every answer that names one.

        ``live`` is whether real money moves with these credentials. ``read_timeout_s`` stands
        above the class's own.
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
        """Whose protocol it speaks: the same for all accounts there."""
        return type(self).name

    def needs_network(self, operation: Operation) -> bool:
        """False where the answer is ours alone: it says nothing about how the gateway is."""
        return bool(operation.request) and operation.verb not in self.local_verbs

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
        return self.capabilities.limits

    def can_hold(self, method: str, channel: str) -> bool:
        """Whether that door can hold money for a later capture."""
        return self.capabilities.manual_capture

    def refund_limits(self, details: PaymentDetails) -> tuple[int, int]:
        """The smallest and the largest amount of one refund of ``details``, in its minor units.

        What was given back before does not count.
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
        """Send ``operation.request``. Gateway trouble is an Outcome, never an exception."""

    @abstractmethod
    def read_webhook(self, delivery: Delivery) -> tuple[Notice, ...]:
        """Verify and parse. Raises ``WebhookRefused`` for what is not proven genuine.

        Raises ``WebhookUnverifiable`` where the proof itself cannot be had now.
        """

    def require_known_sender(self, delivery: Delivery) -> None:
        """Raises ``WebhookRefused`` for what came from none of ``webhook_senders``."""
        if self.webhook_senders and not self._is_known_sender(delivery.sender):
            raise WebhookRefused(f"{delivery.sender} is no address of the gateway's")

    def _is_known_sender(self, sender: str) -> bool:
        return bool(sender) and any(ip_address(sender) in each for each in self.webhook_senders)

    @abstractmethod
    def answer_webhook(self, result: WebhookResult) -> Answer:
        """What this gateway wants to hear."""

    def sample_webhook(self, now: datetime) -> Delivery | None:
        """A webhook about nothing, signed with our newest secret as the gateway would sign it.

        It names itself ``sample``. Read back, it shows that signing and verifying agree. None
        where only the gateway can sign.
        """
        return None

    def settlement_records(self, start: datetime, end: datetime) -> Iterator[SettlementRecord]:
        """What moved our balance there, from ``start`` up to ``end`` (aware, to the second).

        Comes in any order. Raises ``ReportUnavailable``, perhaps half-way, or
        ``UnsupportedOperation``.
        """
        raise UnsupportedOperation(f"{self.name} has no report to ask for: {start} to {end}")

    def read_settlement_file(self, content: bytes) -> Iterator[SettlementRecord]:
        """The records of one file of the gateway's. Raises as ``settlement_records`` does."""
        raise UnsupportedOperation(f"{self.name} publishes no files: {len(content)} bytes")

    def payouts(self, start: datetime, end: datetime) -> Iterator[Payout]:
        """Payouts that were made from ``start`` up to ``end``. Raises in the same way."""
        raise UnsupportedOperation(f"{self.name} lists no payouts: {start} to {end}")

    def payout_records(self, psp_reference: str) -> Iterator[SettlementRecord]:
        """All that one payout carries and its own record; they add up. Raises in the same way."""
        raise UnsupportedOperation(f"{self.name} does not say what is in a payout: {psp_reference}")

    def disputes(self, details: PaymentDetails) -> tuple[Notice, ...]:
        """Every dispute about a payment, as a webhook would tell it. Raises in the same way."""
        raise UnsupportedOperation(f"{self.name} has no disputes to ask for: {details.reference}")

    def dispute(self, psp_reference: str) -> Notice:
        """One dispute by its own id. Raises in the same way."""
        raise UnsupportedOperation(f"{self.name} has no disputes to ask for: {psp_reference}")
