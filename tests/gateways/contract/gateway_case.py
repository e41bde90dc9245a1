"""What the shared tests must know about a gateway: how to build it, and its own words.

Everything else they do through ``Gateway``. Whoever adds a gateway adds one ``GatewayCase`` here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from gateways.base import Gateway
from gateways.momo.gateway import MomoGateway
from gateways.operation import Verb
from gateways.outcome import FailureCode, OutcomeKind
from gateways.paypal.gateway import PaypalGateway
from gateways.stripe.gateway import StripeGateway
from gateways.vnpay.gateway import VnpayGateway
from money.money import Money
from tests.sandbox.sandbox_process import (
    HASH_SECRET,
    MOMO_KEYS,
    PAYPAL_KEYS,
    STRIPE_KEY,
    STRIPE_SECRETS,
    TMN_CODE,
    SandboxProcess,
)

EVERY_SCENARIO: Final = frozenset(
    {
        *("hold", "capture", "void", "expiry"),
        *("refund", "slow_refund", "failing_refund"),
        *("dispute_opened", "dispute_lost", "dispute_won"),
    }
)
DONG: Final = Money(150_000, "VND")
DONG_PART: Final = Money(50_000, "VND")


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What makes the gateway give money back in another way: the card, or its decision."""

    token: str = ""
    decision: str = "approve"


@dataclass(frozen=True, kw_only=True)
class GatewayCase:
    """One gateway in one way of paying.

    ``{url}`` in an option is where it is reached, ``{folder}`` where it keeps its files.
    """

    name: str
    adapter: type[Gateway]
    options: Mapping[str, str]
    # The same account as it would be with credentials that the gateway does not know.
    strangers: Mapping[str, str]
    # Newest first: a secret that the gateway has not begun to use, and the one that it uses.
    rotated: Mapping[str, str]
    # What our side may never let out, in the clear or in a log.
    secrets: frozenset[str]
    path: str  # of its webhooks
    total: Money = DONG
    part: Money = DONG_PART
    token: str = ""  # pays in the call itself; "" sends the shopper to a page
    # The first call takes no network: the link is only signed.
    creates_offline: bool = False
    # A shopper who was declined or who cancels may try again on the same page.
    tries_again: bool = False
    # The automatic decision is taken when the shopper opens the page.
    decides_on_page: bool = False
    declines: Mapping[str, FailureCode] = field(default_factory=dict)
    # The lies that its webhooks can be made to tell under a good signature.
    lies: tuple[str, ...] = ("amount", "account")
    # How the total stands in its answers, and how another amount would.
    amounts: tuple[bytes, bytes] = (b"150000", b"951000")
    # Texts of its answers that stand for "done", and what they might become.
    known_words: Mapping[bytes, bytes] = field(default_factory=dict)
    # Where the proof of its webhooks stands: in headers, or among the fields. And which fields
    # the proof leaves out.
    proofs: tuple[str, ...] = ()
    proof_member: str = ""
    unsigned: frozenset[str] = frozenset()
    # What a refund that is done already is answered with when it is asked for again.
    refund_again: OutcomeKind = OutcomeKind.SUCCEEDED
    # It can be asked how one refund stands.
    finds_refunds: bool = True
    # Refunds that are done later, and refunds that fail after they were accepted.
    slow_refunds: Turn | None = None
    failing_refunds: Turn | None = None
    # How long it holds money that nobody takes.
    hold_life: timedelta = timedelta()
    # The scenarios (``scenarios.py``) that its webhooks tell by themselves.
    webhook_scenarios: frozenset[str] = frozenset()
    # What they say about a payment only asks for a query.
    only_hints: bool = False

    def __str__(self) -> str:
        return self.name

    def gateway(self, sandbox: SandboxProcess, url: str = "", **changes: str) -> Gateway:
        """The adapter for the gateway that ``sandbox`` runs, perhaps by way of another ``url``."""
        return self.adapter.from_settings({**self.made(sandbox, url), **changes})

    def made(self, sandbox: SandboxProcess, url: str = "") -> dict[str, str]:
        """Its options, with the places filled in."""
        places = {"url": url or sandbox.url, "folder": sandbox.data_dir}
        made = {name: value.format(**places) for name, value in self.options.items()}
        return {"read_timeout_s": "1", **made}

    def renamed(self, body: bytes) -> bytes:
        """An answer of it, in words that nobody has taught us."""
        for known, unknown in self.known_words.items():
            body = body.replace(known, unknown)
        return body

    @property
    def calls(self) -> tuple[Verb, ...]:
        """The verbs that every case performs over the network."""
        verbs = (Verb.CREATE, Verb.QUERY, Verb.REFUND)
        return verbs[1:] if self.creates_offline else verbs


_STRIPE: Final = {
    "secret_key": STRIPE_KEY,
    "webhook_secrets": ",".join(STRIPE_SECRETS),
    "api_base": "{url}",
}
_STRIPE_DECLINES: Final = {
    "decline:generic_decline": FailureCode.DECLINED,
    "decline:insufficient_funds": FailureCode.INSUFFICIENT_FUNDS,
    "decline:expired_card": FailureCode.CARD_EXPIRED,
    "decline:incorrect_cvc": FailureCode.INCORRECT_CODE,
    "decline:lost_card": FailureCode.ACCOUNT_BLOCKED,
}


def _stripe(name: str, *, token: str = "", tries_again: bool = False) -> GatewayCase:
    return GatewayCase(
        name=name,
        adapter=StripeGateway,
        options=_STRIPE,
        strangers={"secret_key": "sk_test_nobody", "webhook_secrets": "whsec_nobody"},
        rotated={"webhook_secrets": f"whsec_unused,{STRIPE_SECRETS[1]}"},
        secrets=frozenset({STRIPE_KEY, *STRIPE_SECRETS}),
        path="/webhooks/stripe",
        token=token,
        tries_again=tries_again,
        declines=_STRIPE_DECLINES,
        lies=("amount", "currency", "account", "mode"),
        known_words={
            b'"status": "succeeded"': b'"status": "teleported"',
            b'"status": "canceled"': b'"status": "teleported"',
            b'"status": "requires_capture"': b'"status": "requires_faith"',
        },
        proofs=("stripe-signature",),
        # Only a card of our choice is refunded in another way, and Stripe's page asks for none.
        slow_refunds=Turn(token="pm_card_pendingRefund") if token else None,
        failing_refunds=Turn(token="pm_card_refundFail") if token else None,
        hold_life=timedelta(days=7),
        webhook_scenarios=EVERY_SCENARIO
        if token
        else EVERY_SCENARIO - {"slow_refund", "failing_refund"},
    )


STRIPE_BY_TOKEN: Final = _stripe("stripe-token", token="pm_card_visa")
STRIPE_BY_PAGE: Final = _stripe("stripe-page", tries_again=True)

VNPAY: Final = GatewayCase(
    name="vnpay",
    adapter=VnpayGateway,
    options={
        "tmn_code": TMN_CODE,
        "hash_secret": HASH_SECRET,
        "pay_url": "{url}/paymentv2/vpcpay.html",
        "api_url": "{url}/merchant_webapi/api/transaction",
    },
    strangers={"hash_secret": "ASECRETTHATNOBODYEVERHANDEDTOUS0"},
    rotated={"hash_secret": f"ASECRETTHATISNOTYETINUSE00000000,{HASH_SECRET}"},
    secrets=frozenset({HASH_SECRET}),
    path="/webhooks/vnpay",
    creates_offline=True,
    decides_on_page=True,
    declines={
        "decline:51": FailureCode.INSUFFICIENT_FUNDS,
        "decline:12": FailureCode.ACCOUNT_BLOCKED,
        "decline:13": FailureCode.INCORRECT_CODE,
        "decline:65": FailureCode.LIMIT_EXCEEDED,
        "cancel": FailureCode.CANCELLED,
    },
    proof_member="vnp_SecureHash",
    known_words={
        b'"vnp_TransactionStatus": "00"': b'"vnp_TransactionStatus": "77"',
        b'"vnp_TransactionStatus": "05"': b'"vnp_TransactionStatus": "77"',
    },
    # VNPAY has no number for a repeat: "already asked for" is all that it says.
    refund_again=OutcomeKind.PENDING,
    finds_refunds=False,
)

MOMO: Final = GatewayCase(
    name="momo",
    adapter=MomoGateway,
    options={
        "partner_code": MOMO_KEYS["MOMO_PARTNER_CODE"],
        "access_key": MOMO_KEYS["MOMO_ACCESS_KEY"],
        "secret_key": MOMO_KEYS["MOMO_SECRET_KEY"],
        "api_base": "{url}",
    },
    strangers={"secret_key": "a-key-that-nobody-ever-handed-us"},
    rotated={
        "secret_key": "a-key-that-is-not-yet-in-use-000",
        "previous_keys": f"{MOMO_KEYS['MOMO_ACCESS_KEY']}:{MOMO_KEYS['MOMO_SECRET_KEY']}",
    },
    secrets=frozenset({MOMO_KEYS["MOMO_ACCESS_KEY"], MOMO_KEYS["MOMO_SECRET_KEY"]}),
    path="/webhooks/momo",
    declines={
        "decline:1001": FailureCode.INSUFFICIENT_FUNDS,
        "decline:1004": FailureCode.LIMIT_EXCEEDED,
        "decline:4001": FailureCode.ACCOUNT_BLOCKED,
        "decline:4100": FailureCode.AUTHENTICATION_FAILED,
        "cancel": FailureCode.CANCELLED,
    },
    proof_member="signature",
    known_words={
        b'"resultCode": 0': b'"resultCode": 31337',
        b'"resultCode": 9000': b'"resultCode": 31337',
    },
    slow_refunds=Turn(decision="decline:7002"),
    hold_life=timedelta(days=30),
    webhook_scenarios=frozenset({"hold"}),
)

PAYPAL: Final = GatewayCase(
    name="paypal",
    adapter=PaypalGateway,
    options={
        "client_id": PAYPAL_KEYS["PAYPAL_CLIENT_ID"],
        "secret": PAYPAL_KEYS["PAYPAL_SECRET"],
        "merchant_id": PAYPAL_KEYS["PAYPAL_MERCHANT_ID"],
        "webhook_ids": PAYPAL_KEYS["PAYPAL_WEBHOOK_IDS"],
        "api_base": "{url}",
        "cert_roots": "{folder}/paypal-root.pem",
        # For all the exchanges of one operation; each has less than a third of it.
        "read_timeout_s": "4",
    },
    strangers={"secret": "a-secret-that-nobody-ever-gave-us", "webhook_ids": "NOBODYSWEBHOOK000"},
    rotated={"webhook_ids": f"NOTYETINUSE000000,{PAYPAL_KEYS['PAYPAL_WEBHOOK_IDS']}"},
    secrets=frozenset({PAYPAL_KEYS["PAYPAL_SECRET"]}),
    path="/webhooks/paypal",
    total=Money(15_000, "USD"),
    part=Money(5_000, "USD"),
    amounts=(b'"150.00"', b'"951.00"'),
    declines={
        "decline:TRANSACTION_REFUSED": FailureCode.DECLINED,
        "decline:PAYER_ACCOUNT_RESTRICTED": FailureCode.ACCOUNT_BLOCKED,
        "decline:TRANSACTION_LIMIT_EXCEEDED": FailureCode.LIMIT_EXCEEDED,
        "decline:COMPLIANCE_VIOLATION": FailureCode.SUSPECTED_FRAUD,
    },
    lies=("amount", "currency"),
    known_words={
        b'"COMPLETED"': b'"TELEPORTED"',
        b'"VOIDED"': b'"TELEPORTED"',
        b'"status": "CREATED"': b'"status": "TELEPORTED"',
    },
    proofs=(
        "paypal-transmission-sig",
        "paypal-transmission-id",
        "paypal-transmission-time",
        "paypal-cert-url",
        "paypal-auth-algo",
    ),
    only_hints=True,
    slow_refunds=Turn(decision="decline:REFUND_PENDING"),
    failing_refunds=Turn(decision="decline:REFUND_FAILED"),
    hold_life=timedelta(days=29),
    webhook_scenarios=EVERY_SCENARIO,
)

PARTIES: Final = (STRIPE_BY_TOKEN, STRIPE_BY_PAGE, PAYPAL, VNPAY, MOMO)
HOLDERS: Final = tuple(each for each in PARTIES if each.adapter.capabilities.manual_capture)
PART_TAKERS: Final = tuple(each for each in HOLDERS if each.adapter.capabilities.partial_capture)
CLOSERS: Final = tuple(each for each in PARTIES if each.adapter.capabilities.close)
FINDERS: Final = tuple(each for each in PARTIES if each.finds_refunds)
