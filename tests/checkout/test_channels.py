"""The channel of a method on the pay page: offered where there is one, and never asked for."""

import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from orders.links import link_token
from orders.models import Order
from payments.models import Transaction
from payments.states import Status
from tests.checkout.pay_form import form_token
from tests.factories import OrderFactory, apply_outcome, begin, declined, paid

pytestmark = pytest.mark.django_db(transaction=True)


def send(browser: Client, link: str, method: str, token: str = "", **channels: str) -> Any:
    """Send the form as a browser does: every list is sent, also those of other methods."""
    lists = {"channel-vnpay": "", "channel-momo": ""}
    chosen = {f"channel-{name}": channel for name, channel in channels.items()}
    token = token or form_token(browser.get(link))
    return browser.post(f"{link}/pay", {"form_token": token, "method": method, **lists, **chosen})


def options(page: str, method: str) -> list[tuple[str, str]]:
    """Value and words of each line of a method's list."""
    found = re.search(rf'<select name="channel-{method}".*?</select>', page, re.DOTALL)
    if found is None:
        return []
    lines = re.findall(r'<option value="(\w*)"[^>]*>(.*?)</option>', found[0], re.DOTALL)
    return [(value, words.strip()) for value, words in lines]


def page_of(browser: Client, link: str, language: str = "en") -> str:
    return browser.get(link, headers={"Accept-Language": language}).content.decode()


class TestTheList:
    def test_begins_with_a_choice_at_the_gateway(self, client: Client, link: str) -> None:
        page = page_of(client, link)
        assert options(page, "vnpay") == [
            ("", "Choose at VNPAY"),
            ("qr", "QR code with a banking app"),
            ("bank", "Domestic card or bank account"),
            ("international_card", "International card"),
        ]
        assert options(page, "momo") == [
            ("", "Choose at MoMo"),
            ("wallet", "MoMo wallet"),
            ("atm", "Domestic card or bank account"),
            ("card", "International card"),
        ]
        assert "selected" not in page

    def test_has_a_label(self, client: Client, link: str) -> None:
        page = page_of(client, link)
        assert '<label for="channel-vnpay">Way to pay at VNPAY</label>' in page
        assert '<select name="channel-vnpay" id="channel-vnpay">' in page

    def test_speaks_vietnamese(self, client: Client, link: str) -> None:
        lines = dict(options(page_of(client, link, "vi"), "momo"))
        assert lines[""] == "Chọn tại MoMo"
        assert lines["card"] == "Thẻ quốc tế"

    def test_is_not_there_for_a_method_without_doors(self, client: Client, link: str) -> None:
        page = page_of(client, link)
        assert options(page, "card") == options(page, "paypal") == []

    def test_leaves_out_what_does_not_take_the_sum(self, client: Client) -> None:
        order = OrderFactory.create(customer=None, total=20_000_000)
        page = page_of(client, f"/checkout/{link_token(order.pk)}")
        assert [value for value, _ in options(page, "momo")] == ["", "wallet", "atm"]

    def test_is_not_there_for_a_method_that_cannot_be_used(self, client: Client) -> None:
        order = OrderFactory.create(customer=None, total=4_999)
        assert options(page_of(client, f"/checkout/{link_token(order.pk)}"), "vnpay") == []


class TestTheChoice:
    def test_is_the_payments(self, client: Client, link: str) -> None:
        send(client, link, "momo", momo="atm")
        payment = Transaction.objects.get()
        assert (payment.method, payment.channel) == ("momo", "atm")

    def test_of_another_method_is_not_looked_at(self, client: Client, link: str) -> None:
        send(client, link, "vnpay", vnpay="qr", momo="atm")
        payment = Transaction.objects.get()
        assert (payment.method, payment.channel) == ("vnpay", "qr")

    def test_may_be_left_to_the_gateway(self, client: Client, link: str) -> None:
        send(client, link, "vnpay")
        assert Transaction.objects.get().channel == ""

    @pytest.mark.parametrize("channel", ["wallet", "NCB", "x" * 30])
    def test_that_the_list_does_not_have_starts_nothing(
        self, client: Client, link: str, channel: str
    ) -> None:
        answer = send(client, link, "vnpay", vnpay=channel)
        assert answer["Location"] == f"{link}?problem=not-offered"
        assert not Transaction.objects.exists()

    def test_sent_twice_is_one_payment(self, client: Client, link: str) -> None:
        token = form_token(client.get(link))
        for _ in range(2):
            answer = send(client, link, "vnpay", token, vnpay="qr")
            assert answer["Location"] == f"{link}/status"
        assert Transaction.objects.count() == 1

    def test_changed_on_the_same_page_is_another_wish(self, client: Client, link: str) -> None:
        token = form_token(client.get(link))
        send(client, link, "vnpay", token, vnpay="qr")
        first = Transaction.objects.get()
        begin(first)
        apply_outcome(first, declined(first))
        send(client, link, "vnpay", token, vnpay="bank")
        rows = Transaction.objects.order_by("created_at")
        assert [row.channel for row in rows] == ["qr", "bank"]

    def test_is_still_there_after_a_decline(self, client: Client, link: str) -> None:
        send(client, link, "momo", momo="atm")
        payment = Transaction.objects.get()
        begin(payment)
        apply_outcome(payment, declined(payment))
        status = client.get(f"{link}/status").content.decode()
        assert f'href="{link}?method=momo&amp;channel=atm"' in status
        page = page_of(client, f"{link}?method=momo&channel=atm")
        assert re.findall(r'<option value="(\w*)"\s+selected>', page) == ["atm"]

    def test_is_named_on_the_receipt(self, client: Client, link: str) -> None:
        send(client, link, "vnpay", vnpay="qr")
        payment = Transaction.objects.get()
        begin(payment)
        apply_outcome(payment, paid(payment, psp_data={"bank": "VNPAY"}))
        page = client.get(f"{link}/receipt").content.decode()
        assert "QR code with a banking app" in page


class TestCardsThatWereMoved:
    def test_are_paid_at_vnpay_and_no_page_says_stripe(
        self, client: Client, link: str, order: Order, settings: Settings
    ) -> None:
        settings.METHOD_GATEWAYS = {**settings.METHOD_GATEWAYS, "card": ("vnpay",)}
        page = page_of(client, link)
        assert "You enter it on the payment provider&#x27;s secure page." in page
        assert send(client, link, "card")["Location"] == f"{link}/status"
        payment = Transaction.objects.get()
        assert (payment.method, payment.gateway, payment.status) == (
            "card",
            "vnpay",
            Status.PENDING,
        )
        status = client.get(f"{link}/status").content.decode()
        assert "Connecting to VNPAY" in status
        assert "Stripe" not in page + status
