"""The channels of a method: requested, refused before a payment is stored, sent to the PSP."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import call_command
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from audit.models import AuditEvent
from money.money import Money
from orders.models import Order
from payments.models import GatewayCall, IdempotencyKey, Transaction
from payments.routing import registry
from payments.routing.offers import build_offers
from tests.factories import OrderFactory, begin, payment_request

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def order(shopper: User) -> Order:
    return OrderFactory.create(customer=shopper)


@pytest.fixture
def cards_at(settings: Settings) -> Any:
    """Give the method ``card`` to another gateway, as the environment would."""

    def move(gateway: str) -> None:
        settings.METHOD_GATEWAYS = {**settings.METHOD_GATEWAYS, "card": (gateway,)}

    return move


@pytest.fixture
def momo_door(settings: Settings) -> Iterator[Any]:
    """Set MOMO_REQUEST_TYPE."""

    def choose(request_type: str) -> None:
        entry = settings.GATEWAYS["momo"]
        options = {**entry["options"], "request_type": request_type}
        settings.GATEWAYS = {**settings.GATEWAYS, "momo": {**entry, "options": options}}
        registry.gateways.cache_clear()

    yield choose
    registry.gateways.cache_clear()


def post(api: APIClient, order: Order, method: str, **more: Any) -> Any:
    body = {"order_id": order.public_id, "amount": order.total, "currency": order.currency}
    return api.post("/payments", {**body, "method": method, **more})


class TestAChannel:
    @pytest.mark.parametrize(
        ("method", "channel"),
        [
            ("vnpay", "qr"), ("vnpay", "bank"), ("vnpay", "international_card"), ("vnpay", "NCB"),
            ("momo", "wallet"), ("momo", "atm"), ("momo", "card"),
        ],
    )  # fmt: skip
    def test_is_kept_shown_and_audited(
        self, api: APIClient, order: Order, method: str, channel: str
    ) -> None:
        answer = post(api, order, method, channel=channel)
        assert answer.status_code == 201
        payment = Transaction.objects.get()
        shown = api.get(f"/payments/{payment.public_id}").json()
        assert payment.channel == answer.json()["channel"] == shown["channel"] == channel
        event = AuditEvent.objects.get(action="transaction.created")
        assert event.after["channel"] == channel

    def test_is_in_the_request_that_is_frozen_for_the_gateway(
        self, api: APIClient, order: Order
    ) -> None:
        post(api, order, "momo", channel="atm")
        begin(Transaction.objects.get())
        assert GatewayCall.objects.get().request["body"]["requestType"] == "payWithATM"

    def test_is_in_the_link(self, api: APIClient, order: Order) -> None:
        post(api, order, "vnpay", channel="NCB")
        assert query_of_the_link()["vnp_BankCode"] == ["NCB"]

    def test_is_the_shoppers_choice_when_none_is_named(self, api: APIClient, order: Order) -> None:
        post(api, order, "vnpay")
        assert "vnp_BankCode" not in query_of_the_link()

    def test_is_part_of_the_request(self, order: Order) -> None:
        asked = [payment_request(order, channel=channel) for channel in ("", "qr", "bank")]
        assert len({request.fingerprint() for request in asked}) == 3

    def test_left_out_or_empty_is_the_same_request(self, api: APIClient, order: Order) -> None:
        first = post(api, order, "vnpay")
        assert post(api, order, "vnpay", channel="").content == first.content


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("method", "channel", "detail"),
        [
            ("vnpay", "wallet",
             "vnpay has the channels qr, bank, international_card, and the gateway's own codes."),
            ("vnpay", "ncb",
             "vnpay has the channels qr, bank, international_card, and the gateway's own codes."),
            ("momo", "qr", "momo has the channels wallet, atm, card."),
            ("momo", "NCB", "momo has the channels wallet, atm, card."),
            ("card", "qr", "card has no channels: leave out channel."),
            ("paypal", "wallet", "paypal has no channels: leave out channel."),
        ],
    )  # fmt: skip
    def test_names_the_channels_that_there_are(
        self, api: APIClient, order: Order, method: str, channel: str, detail: str
    ) -> None:
        answer = post(api, order, method, channel=channel)
        assert (answer.status_code, answer.json()["code"]) == (422, "channel_unavailable")
        assert answer.json()["errors"] == {
            "channel": [{"code": "channel_unavailable", "detail": detail}]
        }
        nothing_was_made()

    def test_is_a_method_that_nobody_serves_whatever_its_channel(
        self, api: APIClient, order: Order
    ) -> None:
        answer = post(api, order, "cash", channel="till")
        assert (answer.status_code, answer.json()["code"]) == (422, "method_unavailable")

    @pytest.mark.parametrize(
        ("channel", "total", "status"),
        [
            ("atm", 9_999, 422), ("atm", 10_000, 201), ("atm", 50_000_000, 201),
            ("card", 10_000_001, 422), ("card", 10_000_000, 201),
            ("wallet", 999, 422), ("wallet", 1_000, 201), ("wallet", 50_000_001, 422),
        ],
    )  # fmt: skip
    def test_keeps_to_the_limits_of_the_door(
        self, api: APIClient, shopper: User, channel: str, total: int, status: int
    ) -> None:
        order = OrderFactory.create(customer=shopper, total=total)
        answer = post(api, order, "momo", channel=channel)
        assert answer.status_code == status
        if status == 422:
            assert answer.json()["code"] == "channel_unavailable"
            nothing_was_made()

    def test_is_a_hold_by_a_door_that_cannot(self, api: APIClient, order: Order) -> None:
        answer = post(api, order, "momo", channel="atm", capture="manual")
        assert (answer.status_code, answer.json()["code"]) == (422, "capture_unavailable")
        assert "momo by atm takes the money at once" in answer.json()["detail"]
        nothing_was_made()

    @pytest.mark.parametrize("channel", ["", "wallet", "card"])
    def test_is_no_hold_by_a_door_that_can(
        self, api: APIClient, order: Order, channel: str
    ) -> None:
        answer = post(api, order, "momo", channel=channel, capture="manual")
        assert answer.status_code == 201

    def test_is_text_of_another_kind(self, api: APIClient, order: Order) -> None:
        for channel in (7, None, "x" * 21):
            assert post(api, order, "vnpay", channel=channel).status_code == 400
        nothing_was_made()


class TestTheDefaultDoor:
    def test_sets_the_limits_of_a_payment_without_a_channel(
        self, api: APIClient, shopper: User, momo_door: Any
    ) -> None:
        momo_door("payWithCC")
        order = OrderFactory.create(customer=shopper, total=10_000_001)
        refused = post(api, order, "momo")
        assert (refused.status_code, refused.json()["code"]) == (422, "method_unavailable")
        assert post(api, order, "momo", channel="wallet").status_code == 201


class TestMovedCards:
    def test_go_to_the_card_page_of_vnpay(
        self, api: APIClient, order: Order, cards_at: Any
    ) -> None:
        cards_at("vnpay")
        answer = post(api, order, "card")
        assert answer.status_code == 201
        assert (answer.json()["method"], answer.json()["gateway"]) == ("card", "vnpay")
        assert answer.json()["channel"] == ""
        assert query_of_the_link()["vnp_BankCode"] == ["INTCARD"]

    def test_go_to_the_card_page_of_momo(self, api: APIClient, order: Order, cards_at: Any) -> None:
        cards_at("momo")
        assert post(api, order, "card").json()["gateway"] == "momo"
        begin(Transaction.objects.get())
        assert GatewayCall.objects.get().request["body"]["requestType"] == "payWithCC"

    def test_keep_to_what_the_other_gateway_can(
        self, api: APIClient, order: Order, shopper: User, cards_at: Any
    ) -> None:
        cards_at("vnpay")
        assert post(api, order, "card", capture="manual").json()["code"] == "capture_unavailable"
        assert post(api, order, "card", channel="qr").json()["code"] == "channel_unavailable"
        token = post(api, order, "card", payment_token="pm_card_visa")
        assert token.json()["code"] == "payment_token_not_accepted"
        dollars = OrderFactory.create(customer=shopper, currency="USD", total=1_999)
        assert post(api, dollars, "card").json()["code"] == "method_unavailable"
        nothing_was_made()

    def test_satisfy_the_checks(self, cards_at: Any) -> None:
        cards_at("momo")
        call_command("check")


class TestOffers:
    def test_name_the_doors_that_take_the_sum(self) -> None:
        assert find_channels(150_000) == {
            "card": (),
            "paypal": (),
            "vnpay": ("qr", "bank", "international_card"),
            "momo": ("wallet", "atm", "card"),
        }
        assert find_channels(9_999)["momo"] == ("wallet", "card")
        assert find_channels(20_000_000)["momo"] == ("wallet", "atm")
        assert find_channels(4_999)["vnpay"] == ()


def find_channels(dong: int) -> dict[str, tuple[str, ...]]:
    return {offer.method: offer.channels for offer in build_offers(Money(dong, "VND"))}


def query_of_the_link() -> dict[str, list[str]]:
    """The parameters of the only payment's link, once a worker has made it."""
    call_command("sweep", "--here")
    payment = Transaction.objects.get()
    assert payment.next_action is not None
    return parse_qs(urlsplit(payment.next_action["url"]).query)


def nothing_was_made() -> None:
    assert not Transaction.objects.exists()
    assert not IdempotencyKey.objects.exists()
