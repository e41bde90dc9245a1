"""The limit of forms from one address, and the page above the limit."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from accounts.throttling import FormThrottle
from durable.ids import uuid7
from orders.models import Order
from payments.models import Transaction
from tests.checkout.pay_form import choose, form_token
from tests.factories import ProductFactory

pytestmark = pytest.mark.django_db(transaction=True)

MOST = 3
NOW = datetime(2026, 11, 22, 4, 0, 20, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _at_one_moment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test counts in a window that no other has counted in."""
    monkeypatch.setattr(FormThrottle, "THROTTLE_RATES", {"forms": f"{MOST}/min"})
    monkeypatch.setattr(FormThrottle, "scope", f"forms-{uuid7().hex}")
    monkeypatch.setattr(FormThrottle, "rate", f"{MOST}/min", raising=False)
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def used_up() -> Client:
    """A browser at an address that has sent as many forms as it may."""
    browser = Client()
    for _ in range(MOST):
        assert browser.post("/", {"email": "x"}).status_code == 422
    return browser


class TestTooManyForms:
    @pytest.mark.parametrize("path", ["/", "/login"])
    def test_are_refused_with_a_calm_page(self, used_up: Client, path: str) -> None:
        page = used_up.post(path, {})
        assert (page.status_code, page["Retry-After"]) == (429, "41")
        assert "Nothing was charged by it" in page.content.decode()
        assert page["Cache-Control"] == "no-store"
        assert "frame-ancestors" in page["Content-Security-Policy"]

    def test_are_refused_in_the_shoppers_language(self, used_up: Client) -> None:
        page = used_up.post("/", {}, headers={"Accept-Language": "vi"})
        assert "vui lòng chờ một phút" in page.content.decode()

    def test_make_no_order(self, used_up: Client) -> None:
        tea = ProductFactory.create()
        fields = {
            "currency": "VND",
            f"quantity-{tea.sku}": "1",
            "email": "an@example.com",
            "form_token": form_token(used_up.get("/")),
        }
        assert used_up.post("/", fields).status_code == 429
        assert not Order.objects.exists()
        assert Client(REMOTE_ADDR="203.0.113.9").post("/", fields).status_code == 303

    @pytest.mark.parametrize("form", ["pay", "cancel"])
    def test_start_and_end_no_payment(self, used_up: Client, link: str, form: str) -> None:
        fields = {"form_token": form_token(used_up.get(link)), "method": "vnpay"}
        assert used_up.post(f"{link}/{form}", fields).status_code == 429
        assert not Transaction.objects.exists()

    def test_are_no_reason_to_hide_how_a_payment_stands(self, used_up: Client, link: str) -> None:
        assert used_up.get(link).status_code == 200
        assert used_up.get(f"{link}/status").status_code == 303

    def test_of_one_address_are_not_another_ones(self, used_up: Client, link: str) -> None:
        neighbour = Client(REMOTE_ADDR="203.0.113.9")
        assert choose(neighbour, link).status_code == 303
        assert Transaction.objects.count() == 1

    def test_are_forgotten_with_the_minute(self, used_up: Client, link: str) -> None:
        with time_machine.travel(NOW + timedelta(seconds=40), tick=False):
            assert choose(used_up, link).status_code == 303

    def test_are_nothing_to_the_webhooks_and_the_api(self, used_up: Client) -> None:
        assert used_up.post("/webhooks/stripe", b"{}", "application/json").status_code == 400
        assert used_up.post("/orders", b"{}", "application/json").status_code == 401

    def test_cannot_be_counted_without_redis_and_are_taken(
        self, used_up: Client, redis_down: None
    ) -> None:
        assert used_up.post("/", {"email": "x"}).status_code == 422
