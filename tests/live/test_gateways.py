"""Our adapters against the vendors' own test systems, where the environment has credentials.

The sandbox that is emulated here was written from the vendors' documents; this says whether the
vendors agree. Nothing here moves real money: an adapter that says ``live`` fails at once.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import pytest
import requests

from gateways.base import Gateway
from gateways.momo.gateway import MomoGateway
from gateways.operation import CaptureMethod, PaymentDetails, Verb
from gateways.outcome import FailureCode, Outcome, OutcomeKind
from gateways.paypal.gateway import PaypalGateway
from gateways.stripe.gateway import StripeGateway
from gateways.vnpay.gateway import VnpayGateway
from money.money import Money
from tests.gateways import samples

_VNPAY: Final = "https://sandbox.vnpayment.vn"
_TIMEOUT_S: Final = 30
SHOP: Final = "https://shop.example.com"


@dataclass(frozen=True, kw_only=True)
class Vendor:
    """A vendor's test system. ``given`` maps an option to the variable that holds it."""

    adapter: type[Gateway]
    given: Mapping[str, str]
    fixed: Mapping[str, str]
    secret: str  # the option that a stranger would not know
    stranger: str
    total: Money

    def __str__(self) -> str:
        return self.adapter.name

    def gateway(self, **changes: str) -> Gateway:
        """The adapter with the environment's credentials; skips the test without them."""
        missing = [name for name in self.given.values() if not os.environ.get(name)]
        if missing:
            pytest.skip(f"no {self} credentials: set {', '.join(missing)}")
        options = {option: os.environ[name] for option, name in self.given.items()}
        made = self.adapter.from_settings({**self.fixed, **options, **changes})
        assert not made.live, "these are not the credentials of a test system"
        return made


STRIPE: Final = Vendor(
    adapter=StripeGateway,
    given={"secret_key": "STRIPE_LIVE_TEST_SECRET_KEY"},
    fixed={"webhook_secrets": "whsec_not_used_here"},
    secret="secret_key",
    stranger="sk_test_nobody",
    total=Money(1_999, "USD"),
)
PAYPAL: Final = Vendor(
    adapter=PaypalGateway,
    given={"client_id": "PAYPAL_LIVE_TEST_CLIENT_ID", "secret": "PAYPAL_LIVE_TEST_SECRET"},
    fixed={
        "merchant_id": "NOT-COMPARED-HERE",
        "webhook_ids": "NOTUSEDHERE",
        "api_base": "https://api-m.sandbox.paypal.com",
    },
    secret="secret",
    stranger="nobody",
    total=Money(1_999, "USD"),
)
VNPAY: Final = Vendor(
    adapter=VnpayGateway,
    given={
        "tmn_code": "VNPAY_LIVE_TEST_TMN_CODE",
        "hash_secret": "VNPAY_LIVE_TEST_HASH_SECRET",
    },
    fixed={
        "pay_url": f"{_VNPAY}/paymentv2/vpcpay.html",
        "api_url": f"{_VNPAY}/merchant_webapi/api/transaction",
    },
    secret="hash_secret",
    stranger="NOBODYSSECRET0000000000000000000",
    total=Money(150_000, "VND"),
)
MOMO: Final = Vendor(
    adapter=MomoGateway,
    given={
        "partner_code": "MOMO_LIVE_TEST_PARTNER_CODE",
        "access_key": "MOMO_LIVE_TEST_ACCESS_KEY",
        "secret_key": "MOMO_LIVE_TEST_SECRET_KEY",
    },
    fixed={"api_base": "https://test-payment.momo.vn"},
    secret="secret_key",
    stranger="nobody",
    total=Money(150_000, "VND"),
)
VENDORS: Final = (STRIPE, PAYPAL, VNPAY, MOMO)


@pytest.fixture(params=VENDORS, ids=str)
def vendor(request: pytest.FixtureRequest) -> Vendor:
    chosen: Vendor = request.param
    return chosen


def payment(vendor: Vendor, **changes: Any) -> PaymentDetails:
    now = datetime.now(UTC)
    made = {
        "reference": uuid4().hex,
        "money": vendor.total,
        "return_url": f"{SHOP}/return",
        "cancel_url": f"{SHOP}/cancel",
        "webhook_url": f"{SHOP}/webhooks/{vendor}",
        "created_at": now,
        "expires_at": now + timedelta(hours=1),
        "locale": "en",
    }
    return samples.details(**{**made, **changes})


def ask(gateway: Gateway, verb: Verb, details: PaymentDetails, **changes: Any) -> Outcome:
    reference = details.reference if verb is Verb.CREATE else uuid4().hex
    made = {"reference": reference, "now": datetime.now(UTC), **changes}
    return samples.run(gateway, samples.operation(verb, details, **made))


def learned(details: PaymentDetails, said: Outcome) -> PaymentDetails:
    return replace(details, psp_reference=said.psp_reference, psp_data=dict(said.psp_data))


class TestEveryVendor:
    def test_gives_a_page_to_pay_on_and_calls_it_unpaid(self, vendor: Vendor) -> None:
        gateway, details = vendor.gateway(), payment(vendor)
        created = ask(gateway, Verb.CREATE, details)
        assert created.kind is OutcomeKind.ACTION_REQUIRED
        assert created.next_action is not None
        page = requests.get(created.next_action.url, timeout=_TIMEOUT_S)
        assert page.ok
        # VNPAY tells of a wrong signature or a wrong field by leading to its error page.
        assert "/Payment/Error" not in page.url
        asked = ask(gateway, Verb.QUERY, learned(details, created))
        assert asked.kind is OutcomeKind.UNPAID

    def test_takes_the_same_request_twice_for_one(self, vendor: Vendor) -> None:
        gateway, details = vendor.gateway(), payment(vendor)
        said = [ask(gateway, Verb.CREATE, details) for _ in range(2)]
        assert {each.kind for each in said} == {OutcomeKind.ACTION_REQUIRED}
        assert len({each.psp_reference for each in said}) == 1

    def test_refuses_a_stranger(self, vendor: Vendor) -> None:
        vendor.gateway()
        stranger = vendor.gateway(**{vendor.secret: vendor.stranger})
        details = payment(vendor, psp_reference="NOBODYSORDER00000")
        assert ask(stranger, Verb.QUERY, details).kind is OutcomeKind.NOT_DONE

    def test_tells_its_time(self, vendor: Vendor) -> None:
        details = payment(vendor, psp_reference="NOBODYSORDER00000")
        said = ask(vendor.gateway(), Verb.QUERY, details)
        assert said.exchange is not None
        assert said.exchange.answered_at is not None
        assert abs(datetime.now(UTC) - said.exchange.answered_at) < timedelta(seconds=30)


class TestStripe:
    """Only Stripe lets a program pay: the others wait for a person on their pages."""

    def pay(self, token: str, **changes: Any) -> tuple[Gateway, PaymentDetails, Outcome]:
        gateway, details = STRIPE.gateway(), payment(STRIPE, has_token=True, **changes)
        return gateway, details, ask(gateway, Verb.CREATE, details, token=token)

    def test_is_paid_and_gives_a_part_back(self) -> None:
        gateway, details, paid = self.pay("pm_card_visa")
        assert (paid.kind, paid.money) == (OutcomeKind.SUCCEEDED, STRIPE.total)
        known = learned(details, paid)
        refunded = ask(gateway, Verb.REFUND, known, money=Money(999, "USD"))
        assert (refunded.kind, refunded.money) == (OutcomeKind.SUCCEEDED, Money(999, "USD"))
        assert ask(gateway, Verb.QUERY, known).kind is OutcomeKind.SUCCEEDED

    def test_is_declined_in_our_words(self) -> None:
        _, _, said = self.pay("pm_card_visa_chargeDeclinedInsufficientFunds")
        assert said.kind is OutcomeKind.DECLINED
        assert said.failure is not None
        assert said.failure.code is FailureCode.INSUFFICIENT_FUNDS

    def test_takes_a_part_of_a_hold_and_lets_the_rest_go(self) -> None:
        gateway, details, held = self.pay("pm_card_visa", capture=CaptureMethod.MANUAL)
        assert (held.kind, held.money) == (OutcomeKind.AUTHORIZED, STRIPE.total)
        known = learned(details, held)
        taken = ask(gateway, Verb.CAPTURE, known, money=Money(999, "USD"))
        assert (taken.kind, taken.money) == (OutcomeKind.SUCCEEDED, Money(999, "USD"))

    def test_releases_a_hold(self) -> None:
        gateway, details, held = self.pay("pm_card_visa", capture=CaptureMethod.MANUAL)
        known = learned(details, held)
        assert ask(gateway, Verb.VOID, known).kind is OutcomeKind.DECLINED
        assert ask(gateway, Verb.QUERY, known).kind is OutcomeKind.DECLINED

    def test_wants_the_holder_of_a_card_that_asks_for_it(self) -> None:
        _, _, said = self.pay("pm_card_authenticationRequired")
        assert said.kind is OutcomeKind.ACTION_REQUIRED
        assert said.next_action is not None

    def test_closes_a_page_that_nobody_has_paid_on(self) -> None:
        gateway, details = STRIPE.gateway(), payment(STRIPE)
        known = learned(details, ask(gateway, Verb.CREATE, details))
        assert ask(gateway, Verb.CLOSE, known).kind is OutcomeKind.DECLINED
        assert ask(gateway, Verb.QUERY, known).kind is OutcomeKind.DECLINED
