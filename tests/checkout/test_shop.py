"""The demo shop, a shopper's own orders, and signing in."""

import re
from collections.abc import Mapping

import pytest
from django.test import Client

from accounts.models import User
from audit.models import AuditEvent
from orders.links import link_token
from orders.models import Order
from payments.states import Status
from tests.checkout.pay_form import Page, form_token
from tests.concurrently import concurrently
from tests.factories import PASSWORD, PRICE, OrderFactory, ProductFactory, TransactionFactory

pytestmark = pytest.mark.django_db(transaction=True)


def buy(client: Client, fields: Mapping[str, str], token: str = "") -> Page:
    """Send the shop's form, as a browser without JavaScript does."""
    token = token or form_token(client.get("/"))
    return client.post("/", {"currency": "VND", **fields, "form_token": token})


class TestShop:
    def test_makes_an_order_and_leads_to_its_link(self, client: Client) -> None:
        tea = ProductFactory.create(unit_amount=10_000)
        answer = buy(client, {f"quantity-{tea.sku}": "3", "email": "an@example.com"})
        [order] = Order.objects.all()
        assert answer.status_code == 303
        assert answer["Location"] == f"/checkout/{link_token(order.pk)}"
        assert (order.total, order.currency, order.customer_id) == (30_000, "VND", None)
        assert (order.customer_email, order.locale) == ("an@example.com", "en")

    def test_makes_one_order_of_one_page_however_often_it_is_sent(self, client: Client) -> None:
        tea = ProductFactory.create()
        token = form_token(client.get("/"))
        form = {f"quantity-{tea.sku}": "1", "email": "an@example.com"}
        answers = concurrently(*[lambda: buy(Client(), form, token)] * 5)
        [order] = Order.objects.all()
        assert {answer["Location"] for answer in answers} == {f"/checkout/{link_token(order.pk)}"}
        assert order.lines.count() == 1
        assert AuditEvent.objects.filter(action="order.created").count() == 1

    def test_makes_another_order_of_another_wish_or_another_page(self, client: Client) -> None:
        tea = ProductFactory.create()
        token = form_token(client.get("/"))
        one, two = ({f"quantity-{tea.sku}": count} for count in "12")
        buy(client, one, token)
        buy(client, two, token)
        buy(client, one)
        assert sorted(Order.objects.values_list("total", flat=True)) == [PRICE, PRICE, 2 * PRICE]

    @pytest.mark.parametrize("token", ["-", "018f:forged", ""])
    def test_makes_no_order_of_a_page_that_is_not_ours(self, client: Client, token: str) -> None:
        tea = ProductFactory.create()
        form = {"form_token": token, "currency": "VND", f"quantity-{tea.sku}": "1"}
        page = client.post("/", form)
        assert page.status_code == 422
        assert "The page was too old, and nothing was ordered." in page.content.decode()
        assert not Order.objects.exists()
        assert buy(client, form, form_token(page))["Location"].startswith("/checkout/ord_")

    def test_sells_one_currency_at_a_time(self, client: Client) -> None:
        ProductFactory.create(name="Áo dài")
        ProductFactory.create(name="Mug", unit_amount=1_999, currency="USD")
        page = client.get("/?currency=USD").content.decode()
        assert "Mug" in page
        assert "$19.99" in page
        assert "Áo dài" not in page

    def test_gives_a_signed_in_shopper_the_order_and_fills_in_the_address(
        self, client: Client, shopper: User
    ) -> None:
        tea = ProductFactory.create()
        client.force_login(shopper)
        assert f'value="{shopper.email}"' in client.get("/").content.decode()
        buy(client, {f"quantity-{tea.sku}": "1", "email": shopper.email})
        assert Order.objects.get().customer_id == shopper.pk

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"quantity": "0"}, "Choose at least one thing"),
            ({"quantity": "-1"}, "Write a whole number from 0 to 99 for Tea."),
            ({"quantity": "100"}, "Write a whole number from 0 to 99 for Tea."),
            ({"quantity": "1.5"}, "Write a whole number from 0 to 99 for Tea."),
            ({"email": "an"}, "Write the e-mail address like name@example.com."),
            ({"email": "4242424242424242@example.com"}, "Never write a card number here."),
        ],
    )
    def test_says_what_is_wrong_beside_the_field_and_on_top(
        self, client: Client, fields: dict[str, str], message: str
    ) -> None:
        tea = ProductFactory.create(name="Tea")
        given = {"quantity": "1", "email": ""} | fields
        form = {f"quantity-{tea.sku}": given["quantity"], "email": given["email"]}
        page = buy(client, form)
        assert page.status_code == 422
        assert message in page.content.decode()
        assert re.search(r"<title>\s*Error:", page.content.decode())
        assert Order.objects.count() == 0

    def test_opens_when_nothing_is_on_sale(self, client: Client) -> None:
        assert "Nothing is on sale" in client.get("/").content.decode()


class TestHistory:
    def test_shows_a_shopper_their_own_orders_only(
        self, client: Client, shopper: User, other_shopper: User
    ) -> None:
        own = OrderFactory.create(customer=shopper)
        other = OrderFactory.create(customer=other_shopper)
        TransactionFactory.create(order=own, status=Status.SUCCESS)
        client.force_login(shopper)
        page = client.get("/checkout/orders").content.decode()
        assert str(own.number) in page
        assert str(other.number) not in page
        assert "badge-paid" in page

    def test_asks_a_stranger_to_sign_in(self, client: Client) -> None:
        answer = client.get("/checkout/orders")
        assert answer["Location"] == "/login?next=/checkout/orders"


class TestSignIn:
    def test_leads_to_the_orders(self, client: Client, shopper: User) -> None:
        answer = client.post("/login", {"username": shopper.username, "password": PASSWORD})
        assert answer["Location"] == "/checkout/orders"

    def test_never_leads_to_another_site(self, client: Client, shopper: User) -> None:
        form = {"username": shopper.username, "password": PASSWORD, "next": "https://evil.example"}
        assert client.post("/login", form)["Location"] == "/checkout/orders"

    def test_says_the_same_for_a_wrong_name_and_a_wrong_password(
        self, client: Client, shopper: User
    ) -> None:
        wrong = {"username": shopper.username, "password": "wrong"}
        unknown = {"username": "nobody", "password": "wrong"}
        for form in (wrong, unknown):
            assert "Please enter a correct username" in client.post("/login", form).content.decode()

    def test_locks_out_after_too_many_failures_even_with_the_right_password(
        self, client: Client, shopper: User, settings: object
    ) -> None:
        for _ in range(8):
            client.post("/login", {"username": shopper.username, "password": "wrong"})
        page = client.post("/login", {"username": shopper.username, "password": PASSWORD})
        assert page.status_code == 429
        assert int(page["Retry-After"]) == 1800
        assert "Wait 30 minutes." in page.content.decode()

    def test_ends_by_post_only(self, client: Client, shopper: User) -> None:
        client.force_login(shopper)
        assert client.get("/logout").status_code == 405
        assert client.post("/logout")["Location"] == "/"
        assert client.get("/checkout/orders").status_code == 302


class TestLanguage:
    def test_is_kept_in_a_cookie_and_leads_back_to_the_page(self, client: Client) -> None:
        answer = client.post("/language", {"language": "vi", "next": "/login"})
        assert answer["Location"] == "/login"
        assert "Đăng nhập" in client.get("/login").content.decode()

    def test_follows_the_browser_until_somebody_chooses(self, client: Client) -> None:
        page = client.get("/login", headers={"Accept-Language": "vi"}).content.decode()
        assert '<html lang="vi">' in page

    def test_writes_sums_and_the_order_in_it(self, client: Client) -> None:
        tea = ProductFactory.create(unit_amount=50_000)
        client.post("/language", {"language": "vi"})
        buy(client, {f"quantity-{tea.sku}": "1"})
        order = Order.objects.get()
        page = client.get(f"/checkout/{link_token(order.pk)}").content.decode()
        assert "50.000\u00a0₫" in page
        assert order.locale == "vi"
