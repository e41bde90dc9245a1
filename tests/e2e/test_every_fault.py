"""Every fault of the wire and of the webhooks at every gateway: the books agree to the unit.

All payments run side by side: the worker is down while they are asked for and while the sandbox
is told what will go wrong with each of them.
"""

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final

import pytest

from bench.verdict import Differences, compare
from tests.e2e.books import agreed, booked, taken
from tests.e2e.payment_paths import WAYS, Way, standing
from tests.e2e.shop import Shop

API_FAULTS: Final = (
    "refuse", "timeout_before", "timeout_after", "reset_after", "cut_body", "http_500",
    "http_500_after", "http_429", "garbage", "slow:500",
)  # fmt: skip
FORGED: Final = ("signature", "body")
LIES: Final = ("amount", "currency", "account", "mode")
COPIES: Final = 5
WEBHOOK_FAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    **{f"corrupt {what}": {"corrupt": what} for what in (*FORGED, *LIES)},
    "copies": {"copies": COPIES},
    "drop": {"drop": True},
    "delay": {"delay_ms": 1500},
    "before_answer": {"order": "before_answer"},
    "reversed": {"order": "reversed"},
}
# Ours at the gateways, and the tokens that some of the payments were made with.
SECRETS: Final = (
    "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS", "PAYPAL_SECRET", "VNPAY_HASH_SECRET",
    "MOMO_ACCESS_KEY", "MOMO_SECRET_KEY",
)  # fmt: skip
# A browser's key to a payment, a signature (but that of MoMo's link, which the shopper gets), an
# e-mail address.
PERSONAL_OR_PROOF: Final = re.compile(r"\w+_secret_\w+|(?<!&s=)\b[0-9a-f]{64,}\b|[\w.]+@[\w.]+")
TOKENS: Final = tuple(each for way in WAYS for each in (way.token, way.token_of_decline) if each)
# What each gateway's messages say about a payment, and can lie about. PayPal's are hints that we
# never believe; VNPAY and MoMo know one currency and name no mode.
SAYS: Final[Mapping[str, frozenset[str]]] = {
    "stripe": frozenset(LIES),
    "paypal": frozenset(),
    "vnpay": frozenset({"amount", "account"}),
    "momo": frozenset({"amount", "account"}),
}
AT_ONCE: Final = 8


@dataclass
class EmulatedPayment:
    """A payment, what goes wrong with it, and what its shopper decides."""

    way: Way
    fault: str
    decision: str
    rule: Mapping[str, Any]
    token: str = ""
    order: dict[str, Any] = field(default_factory=dict)
    payment_id: str = ""

    def __str__(self) -> str:
        return f"{self.way}{self.token and ' by token'}, {self.fault}, {self.decision}"

    @property
    def is_broken(self) -> bool:
        """Whether a call of it will not be answered."""
        return self.fault in API_FAULTS and not self.fault.startswith("slow")

    @property
    def reference(self) -> str:
        """Ours, as the gateway has it."""
        return self.payment_id.removeprefix("pay_")


def plan() -> list[EmulatedPayment]:
    """One payment for each way, fault and end.

    Broken calls and whole ones are mixed: with too many broken ones in a row a gateway counts as
    down, and is left alone for longer than a test should last.
    """
    everything = [*_api_faults(), *_webhook_faults()]
    mixed = []
    for way in WAYS:
        of_way = [each for each in everything if each.way is way]
        broken = [each for each in of_way if each.is_broken]
        whole = [each for each in of_way if not each.is_broken]
        mixed += [*_evenly(broken), *_evenly(whole)]
    return [each for _, each in sorted(mixed, key=itemgetter(0))]


def _evenly(some: list[EmulatedPayment]) -> Iterator[tuple[float, EmulatedPayment]]:
    """Each with its place between 0 and 1."""
    return ((number / len(some), each) for number, each in enumerate(some))


def _api_faults() -> Iterator[EmulatedPayment]:
    """No webhook comes to help: the truth must come through the calls that fail."""
    for way in WAYS:
        for fault in API_FAULTS:
            rule = {"api": {"fault": fault}, "webhook": {"drop": True}}
            yield EmulatedPayment(way, fault, "approve", rule)
            if way.token:
                yield EmulatedPayment(way, fault, "approve", rule, way.token)
            yield EmulatedPayment(way, fault, way.decline, rule, way.token_of_decline)


def _webhook_faults() -> Iterator[EmulatedPayment]:
    for way in WAYS:
        for fault, webhook in WEBHOOK_FAULTS.items():
            yield EmulatedPayment(way, fault, "approve", {"webhook": webhook})


@pytest.fixture(scope="module")
def emulated(shop: Shop) -> list[EmulatedPayment]:
    """All of them, ended."""
    everything = plan()
    shop.stack.stop("worker")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda each: _ask(shop, each), everything))
    shop.stack.start("worker")
    for each in everything:
        if each.way.method == "vnpay":
            shop.open_page(shop.link(each.payment_id))
    for each in everything:
        shop.ended(each.payment_id)
    shop.come_to_rest()
    return everything


def _ask(shop: Shop, each: EmulatedPayment) -> None:
    each.order = shop.order(each.way.sku, each.way.currency)
    reply = shop.pay(each.order, each.way.method, each.token)
    assert reply.status == 201, reply.text
    each.payment_id = reply.json["id"]
    gateway, decision = each.way.gateway, each.decision
    shop.behave(gateway, reference=each.reference, decision=decision, times=1, **each.rule)


class TestEveryFault:
    def test_leaves_each_payment_as_its_gateway_has_it(
        self, shop: Shop, emulated: list[EmulatedPayment]
    ) -> None:
        ends = {str(each): _end(shop, each) for each in emulated}
        wanted = {
            str(each): ("SUCCESS", ("PAID", each.order["total"]), 1)
            if each.decision == "approve"
            else ("FAILED", ("PENDING", 0), 0)
            for each in emulated
        }
        assert ends == wanted

    def test_loses_nothing_and_charges_nobody_twice(
        self, shop: Shop, emulated: list[EmulatedPayment]
    ) -> None:
        references = [each.reference for each in emulated]
        orders = {each.reference: each.order["id"] for each in emulated}
        charges = taken(shop, references)
        assert len(charges) == sum(each.decision == "approve" for each in emulated)
        found = compare(charges, booked(shop, references), orders)
        assert found == Differences(lost=0, phantom=0, charged_twice=0)

    def test_leaves_every_account_as_the_gateway_has_it(
        self, shop: Shop, emulated: list[EmulatedPayment]
    ) -> None:
        theirs = agreed(shop)
        places = {(each.way.gateway, each.way.currency) for each in emulated}
        assert places <= {(gateway, currency) for gateway, _, currency in theirs}

    def test_leaves_no_secret_in_what_is_kept(
        self, shop: Shop, emulated: list[EmulatedPayment]
    ) -> None:
        calls = shop.query(
            "SELECT request::text, sent::text || received::text || coalesce(earlier::text, '')"
            " FROM gateway_calls WHERE sent <> '{}' AND received <> '{}'"
        )
        events = shop.query("SELECT before::text || after::text FROM audit_events")
        assert len(calls) >= len(emulated)
        asked = "\n".join(request for request, _ in calls)
        kept = "\n".join([*(wire for _, wire in calls), *(event for (event,) in events)])
        secrets = [each for name in SECRETS for each in shop.stack.settings[name].split(",")]
        assert all(len(each) > 8 for each in secrets)
        assert [each for each in (*secrets, *TOKENS, "Bearer ") if each in asked + kept] == []
        assert PERSONAL_OR_PROOF.findall(kept) == []

    def test_really_happened_to_the_calls(
        self, shop: Shop, emulated: list[EmulatedPayment]
    ) -> None:
        unheard = {
            reference.replace("-", "")
            for (reference,) in shop.query(
                "SELECT transaction_id::text FROM gateway_calls"
                " WHERE sends > 1 OR outcome IN ('UNKNOWN', 'NOT_DONE')"
            )
        }
        broken = [each for each in emulated if each.is_broken]
        assert [str(each) for each in broken if each.reference not in unheard] == []

    def test_really_happened_to_the_webhooks(
        self, shop: Shop, emulated: list[EmulatedPayment]
    ) -> None:
        told = {(each.way.method, each.fault): len(_attempts(shop, each)) for each in emulated}
        for way in WAYS:
            assert told[way.method, "copies"] >= COPIES
            assert told[way.method, "drop"] == 0


class TestACorruptedWebhook:
    def test_pays_nothing(self, shop: Shop, emulated: list[EmulatedPayment]) -> None:
        causes = dict(
            shop.query(
                "SELECT replace(subject_id::text, '-', ''), cause_type FROM audit_events"
                " WHERE action = 'transaction.success'"
            )
        )
        believed = [
            str(each) for each in _lied_about(emulated) if causes[each.reference] == "webhook"
        ]
        assert believed == []

    def test_is_a_case_where_it_lies_under_a_good_signature(
        self, shop: Shop, emulated: list[EmulatedPayment]
    ) -> None:
        rows = shop.query(
            "SELECT replace(transaction_id::text, '-', ''), kind, detail FROM cases"
            " WHERE transaction_id = ANY(%s::uuid[])",
            [each.reference for each in emulated],
        )
        names = {each.reference: str(each) for each in emulated}
        found = {(names[reference], kind) for reference, kind, _ in rows}
        lies = [each for each in _lied_about(emulated) if each.fault.split()[1] in LIES]
        assert found == {(str(each), "mismatch") for each in lies}

    def test_is_kept_apart_where_its_signature_is_wrong(
        self, shop: Shop, emulated: list[EmulatedPayment]
    ) -> None:
        forged = [each for each in emulated if each.fault.removeprefix("corrupt ") in FORGED]
        assert all(_attempts(shop, each) for each in forged)
        kept = shop.query(
            "SELECT DISTINCT forged FROM webhook_events w, unnest(%s) AS forged"
            " WHERE w.state = 'REJECTED' AND NOT w.verified AND w.transaction_id IS NULL"
            " AND (position(convert_to(forged, 'UTF8') IN w.body) > 0"
            "  OR position(forged IN w.query_string) > 0)",
            [each.reference for each in emulated],
        )
        assert {reference for (reference,) in kept} == {each.reference for each in forged}


def _end(shop: Shop, each: EmulatedPayment) -> tuple[str, tuple[str, int], int]:
    """The payment, its order, and how many charges took money for it."""
    status = shop.payment(each.payment_id)["status"]
    return status, standing(shop, each.order), len(shop.charges(each.payment_id))


def _attempts(shop: Shop, each: EmulatedPayment) -> list[dict[str, Any]]:
    """Every request by which its gateway told us about it."""
    webhooks = shop.book(each.payment_id)["webhooks"]
    return [attempt for webhook in webhooks for attempt in webhook["attempts"]]


def _lied_about(emulated: list[EmulatedPayment]) -> list[EmulatedPayment]:
    """Those whose webhooks are forged, or say what is not true."""
    return [
        each
        for each in emulated
        if each.fault.startswith("corrupt")
        and each.fault.split()[1] in {*FORGED, *SAYS[each.way.gateway]}
    ]
