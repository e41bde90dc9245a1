"""The catalogue and the orders API."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from audit.models import AuditEvent
from money.money import MINOR_UNITS_MAX
from orders.links import link_token, read_link_token
from orders.models import Order
from tests.factories import OrderFactory, ProductFactory
from tests.fixtures import ClientFor

pytestmark = pytest.mark.django_db(transaction=True)

CARD = "4111111111111111"


@pytest.fixture
def _goods() -> None:
    ProductFactory.create(sku="tea", unit_amount=10_000)
    ProductFactory.create(sku="mug", unit_amount=1_999, currency="USD")
    ProductFactory.create(sku="gone", is_active=False)
    ProductFactory.create(sku="moon", unit_amount=MINOR_UNITS_MAX)


def ask(api: APIClient, **changes: Any) -> Any:
    body = {"currency": "VND", "lines": [{"sku": "tea", "quantity": 3}]} | changes
    return api.post("/orders", body)


@pytest.mark.usefixtures("_goods")
class TestPostOrders:
    def test_takes_no_order_for_an_account_that_is_gone(
        self, api: APIClient, shopper: User
    ) -> None:
        sku = ProductFactory.create().sku
        shopper.delete()
        body = {"currency": "VND", "lines": [{"sku": sku, "quantity": 1}]}
        answer = api.post("/orders", body)
        assert (answer.status_code, answer.json()["code"]) == (401, "authentication_failed")
        assert not Order.objects.exists()

    def test_adds_up_by_itself(self, api: APIClient, shopper: User) -> None:
        answer = ask(api)
        order = Order.objects.get()
        made = answer.json()
        assert answer.status_code == 201
        assert made["id"] == order.public_id
        assert made["number"] == str(order.number)
        assert (made["status"], made["total"], made["amount_paid"]) == ("PENDING", 30_000, 0)
        assert made["lines"] == [
            {"sku": "tea", "name": "Cà phê phin", "unit_amount": 10_000, "quantity": 3,
             "amount": 30_000}
        ]  # fmt: skip
        assert (order.customer_id, order.customer_email) == (shopper.pk, "shopper@example.com")
        event = AuditEvent.objects.get()
        assert (event.action, event.version, event.actor_id) == (
            "order.created",
            1,
            str(shopper.pk),
        )

    def test_gives_a_link_that_pays_it_without_an_account(self, api: APIClient) -> None:
        path = urlsplit(ask(api).json()["pay_url"]).path
        assert read_link_token(path.rsplit("/", 1)[1]) == Order.objects.get().pk

    @pytest.mark.parametrize(
        "lines",
        [
            [{"sku": "tea", "quantity": 1}, {"sku": "mug", "quantity": 1}],
            [{"sku": "gone", "quantity": 1}],
            [{"sku": "nothing", "quantity": 1}],
            [{"sku": "moon", "quantity": 2}],
        ],
        ids=["two currencies", "not on sale", "unknown", "too much money"],
    )
    def test_refuses_what_cannot_be_sold(self, api: APIClient, lines: list[Any]) -> None:
        answer = ask(api, lines=lines)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_line")
        assert not Order.objects.exists()
        assert not AuditEvent.objects.exists()

    def test_refuses_every_wrong_shape(self, api: APIClient, subtests: pytest.Subtests) -> None:
        tea: dict[str, Any] = {"sku": "tea", "quantity": 1}
        wrong: list[dict[str, Any]] = [
            {"lines": []},
            {"lines": None},
            {"lines": {}},
            {"lines": "tea"},
            {"lines": [None]},
            {"lines": [tea] * 101},
            {"currency": "vnd"},
            {"currency": None},
            {"currency": 1},
            {"total": 1},
            {"customer_email": "x"},
            {"customer_email": 1},
            {"customer_email": f"{CARD}@example.com"},
            {"customer_phone": "1" * 21},
            {"customer_phone": CARD},
            {"customer_phone": 5},
            *[{"lines": [tea | {"quantity": n}]} for n in (0, -1, True, "1", 1.0, None, 10**9)],
            *[{"lines": [tea | {"sku": s}]} for s in ("", None, 1, "x" * 41, CARD)],
            {"lines": [tea | {"unit_amount": 1}]},
            {"lines": [{"sku": "tea"}]},
        ]
        for change in wrong:
            with subtests.test(str(change)[:60]):
                answer = ask(api, **change)
                assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
        assert not Order.objects.exists()

    def test_names_the_place_of_what_is_wrong(self, api: APIClient) -> None:
        lines = [{"sku": "tea", "quantity": 1}, {"sku": "tea", "quantity": "2"}]
        answer = ask(api, lines=lines)
        assert list(answer.json()["errors"]) == ["lines.1.quantity"]
        assert answer.json()["errors"]["lines.1.quantity"][0]["code"] == "invalid"

    def test_takes_another_address_for_the_receipt(self, api: APIClient) -> None:
        ask(api, customer_email="gift@example.com", customer_phone="+84 901 234 567")
        order = Order.objects.get()
        assert (order.customer_email, order.customer_phone) == (
            "gift@example.com",
            "+84 901 234 567",
        )


class TestGetOrders:
    def test_shows_only_the_callers(
        self, api: APIClient, api_for: ClientFor, other_shopper: User, shopper: User
    ) -> None:
        order = OrderFactory.create(customer=shopper)
        theirs = api_for(other_shopper)
        assert [found["id"] for found in api.get("/orders").json()["results"]] == [order.public_id]
        assert theirs.get("/orders").json()["results"] == []
        assert theirs.get(f"/orders/{order.public_id}").status_code == 404
        assert theirs.post(f"/orders/{order.public_id}/cancel").status_code == 404

    def test_pages_by_a_cursor(self, api: APIClient, shopper: User) -> None:
        made = [OrderFactory.create(customer=shopper).public_id for _ in range(3)]
        first = api.get("/orders?limit=2").json()
        second = api.get(first["next"]).json()
        seen = [order["id"] for order in first["results"] + second["results"]]
        assert seen == made[::-1]
        assert second["next"] is None

    def test_does_the_same_number_of_queries_for_one_and_for_many(
        self, api: APIClient, shopper: User, django_assert_num_queries: Any
    ) -> None:
        for _ in range(4):
            OrderFactory.create(customer=shopper)
        with django_assert_num_queries(2):
            api.get("/orders")


class TestGetProducts:
    @pytest.mark.usefixtures("_goods")
    def test_lists_what_is_on_sale_to_anybody(self, anonymous: APIClient) -> None:
        goods = anonymous.get("/products").json()
        assert {product["sku"] for product in goods["results"]} == {"tea", "mug", "moon"}
        assert goods["results"][0].keys() == {"sku", "name", "unit_amount", "currency"}


class TestPayLink:
    def test_opens_one_order_and_no_other(self) -> None:
        order, other = OrderFactory.create(), OrderFactory.create()
        token = link_token(order.pk)
        assert read_link_token(token) == order.pk
        assert read_link_token(token.replace(order.public_id, other.public_id)) is None

    @pytest.mark.parametrize("token", ["", ".", "x", "ord_" + "0" * 32, "ord_" + "0" * 32 + ".x"])
    def test_cannot_be_made_up(self, token: str) -> None:
        assert read_link_token(token) is None
