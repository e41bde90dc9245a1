"""What a gateway is asked to do: one verb on one payment, with all that it may know of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from money.money import Money

JsonValue = object  # what json.dumps takes: str, int, bool, None, lists and dicts of these
Json = dict[str, JsonValue]


class Verb(StrEnum):
    """What a GatewayCall does at the gateway."""

    CREATE = "CREATE"  # start collecting (and confirm, where a token is given)
    QUERY = "QUERY"  # read the truth; moves nothing
    CAPTURE = "CAPTURE"
    VOID = "VOID"  # release an authorization
    CLOSE = "CLOSE"  # end an unpaid page or PaymentIntent so that it can no longer be paid
    REFUND = "REFUND"
    QUERY_REFUND = "QUERY_REFUND"


class CaptureMethod(StrEnum):
    """Whether the gateway takes the money at once or holds it for a later capture."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class PaymentDetails:
    """A transaction as the gateway sees it, frozen when it was created."""

    reference: str  # 32 lower-case hex digits: ours, never reused
    money: Money
    order_number: str
    description: str
    method: str
    capture: CaptureMethod
    return_url: str  # where the PSP sends the shopper back to, whatever happened
    cancel_url: str
    webhook_url: str
    customer_ip: str
    customer_email: str
    locale: str  # "en" | "vi"
    created_at: datetime  # aware, UTC
    expires_at: datetime  # when the link we hand out ends
    has_token: bool
    channel: str = ""  # one of the method; "": the shopper chooses at the gateway
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
    details: PaymentDetails
    now: datetime
    request: Json = field(default_factory=dict)
    token: str = ""
    money: Money | None = None  # CAPTURE and REFUND: how much
    actor: str = ""  # REFUND: who asked, for gateways that want a name
    # QUERY_REFUND: the REFUND operation it asks about, by our reference and by theirs.
    refund_reference: str = ""
    refund_psp_reference: str = ""


class UnsupportedOperation(ValueError):
    """This gateway has no such verb, or cannot express this amount or address."""
