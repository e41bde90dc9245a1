"""Each method from the shop to its receipt, with every turn a shopper may take on the way.

Screens, languages and browsers go by turns: each method and each turn meets all four.
Pictures of what was seen lie in ``var/screenshots``.
"""

import re
from collections.abc import Callable, Sequence

import pytest
from playwright.sync_api import Page, expect

from tests.browser.look import DESK, LOOKS, PHONE, Look
from tests.browser.payment_paths import WAYS, Way
from tests.browser.shopper import PATIENCE_MS, Shopper
from tests.e2e.shop import eventually

EMAIL = "linh@example.com"


def by_turns(first: int) -> pytest.MarkDecorator:
    """Every method, the looks dealt out beginning with the one at ``first``."""
    cases = [
        pytest.param(way, LOOKS[(first + place) % len(LOOKS)], id=f"{way}-{look_of(first, place)}")
        for place, way in enumerate(WAYS)
    ]
    return pytest.mark.parametrize(("way", "look"), cases)


def look_of(first: int, place: int) -> Look:
    return LOOKS[(first + place) % len(LOOKS)]


def arrive(visitor: Shopper, way: Way) -> str:
    """Order, choose ``way`` and be led to its gateway; gives the order's link."""
    link = visitor.order(way.sku, way.currency, EMAIL)
    go_to(visitor, way)
    return link


def go_to(visitor: Shopper, way: Way) -> None:
    visitor.choose(way.method)
    visitor.page.wait_for_url(f"**{way.path}**")


def choose_again(visitor: Shopper, way: Way, look: Look) -> None:
    """From wherever a payment ended or hangs to the choice of a method."""
    page = visitor.page
    if way.stays:
        # First it is checked whether anything was paid there.
        visitor.sees(look.says("waiting"))
    page.get_by_role("button" if way.stays else "link", name=look.says("another")).click()
    question = page.get_by_role("heading", name=look.says("choose"))
    expect(question).to_be_visible(timeout=PATIENCE_MS)


def look_into(visitor: Shopper, steps: Sequence[Callable[[Page], None]], name: str) -> None:
    """Look at a page and at those that each of ``steps`` leads to."""
    visitor.look(f"{name}-0")
    for place, step in enumerate(steps, start=1):
        step(visitor.page)
        visitor.page.wait_for_load_state()
        visitor.look(f"{name}-{place}")


def other_than(way: Way) -> Way:
    """The next method that takes the same currency."""
    return next(each for each in WAYS if each is not way and each.currency == way.currency)


@by_turns(0)
def test_it_is_paid_and_gives_a_receipt(visitor: Shopper, way: Way, look: Look) -> None:
    name = f"paid-{way}-{look}"
    visitor.page.goto(f"{visitor.site.base}/?currency={way.currency}")
    visitor.look(f"{name}-1-shop")
    visitor.order(way.sku, way.currency, EMAIL)
    visitor.look(f"{name}-2-pay")
    go_to(visitor, way)
    visitor.look(f"{name}-3-gateway")
    way.approve(visitor.page)
    visitor.sees(look.says("paid"))
    visitor.look(f"{name}-4-paid")
    visitor.page.get_by_role("link", name=look.says("receipt")).click()
    expect(visitor.page.get_by_role("table")).to_be_visible()
    visitor.look(f"{name}-5-receipt")
    assert visitor.taken() == [way.minor]


@by_turns(1)
def test_it_is_declined_and_paid_in_another_way(visitor: Shopper, way: Way, look: Look) -> None:
    name = f"declined-{way}-{look}"
    link = arrive(visitor, way)
    way.decline(visitor.page)
    visitor.sees(look.says("waiting" if way.stays else "failed"))
    visitor.look(f"{name}-1-told")
    assert visitor.taken() == []
    if not way.stays:
        visitor.page.goto(mailed_link(visitor, link))
        visitor.look(f"{name}-2-from-the-mail")
        visitor.page.goto(f"{link}/status")
    choose_again(visitor, way, look)
    visitor.look(f"{name}-3-choose")
    second = other_than(way)
    go_to(visitor, second)
    second.approve(visitor.page)
    visitor.sees(look.says("paid"))
    assert visitor.taken() == [way.minor]


@by_turns(2)
def test_it_is_cancelled_there_and_tried_again(visitor: Shopper, way: Way, look: Look) -> None:
    arrive(visitor, way)
    way.cancel(visitor.page)
    visitor.sees(look.says("waiting" if way.stays else "given_up"))
    visitor.look(f"cancelled-{way}-{look}-1-told")
    choose_again(visitor, way, look)
    visitor.look(f"cancelled-{way}-{look}-2-choose")
    go_to(visitor, way)
    way.approve(visitor.page)
    visitor.sees(look.says("paid"))
    assert visitor.taken() == [way.minor]


@by_turns(3)
def test_it_is_left_open_and_resumed_from_the_link(visitor: Shopper, way: Way, look: Look) -> None:
    link = arrive(visitor, way)
    visitor.open_another_tab(link)
    visitor.sees(look.says("waiting"))
    visitor.look(f"left-{way}-{look}")
    visitor.page.get_by_role("link", name=f"{look.says('continue')} {way.gateway}").click()
    visitor.page.wait_for_url(f"**{way.path}**")
    way.approve(visitor.page)
    visitor.sees(look.says("paid"))
    assert visitor.taken() == [way.minor]


def mailed_link(visitor: Shopper, link: str) -> str:
    """The link in the mail about the failure of the order at ``link``, once it is sent."""
    find = (
        "SELECT text FROM notifications WHERE template = 'payment_failed'"
        " AND sent_at IS NOT NULL AND text LIKE %s"
    )
    [(text,)] = eventually(lambda: visitor.site.query(find, f"%{link}%"))
    found = re.search(r"https?://\S+", text)
    assert found
    return found[0]


@pytest.mark.parametrize("look", [PHONE, DESK], ids=str)
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_each_page_of_its_gateway_is_readable(visitor: Shopper, way: Way, look: Look) -> None:
    arrive(visitor, way)
    look_into(visitor, way.tour, f"gateway-{way}-{look}")
    assert visitor.taken() == []


@pytest.mark.parametrize("look", [PHONE, DESK], ids=str)
class TestStages:
    """The stages that a payment seldom shows, each as everybody must be able to read it."""

    def test_leaving(self, visitor: Shopper, look: Look) -> None:
        visitor.order()
        # An answer without content leaves the browser where it is.
        visitor.context.route("**/paymentv2/**", lambda route: route.fulfill(status=204))
        visitor.choose("vnpay")
        visitor.sees(look.says("leaving"))
        visitor.look(f"stage-leaving-{look}")

    def test_closing(self, visitor: Shopper, look: Look) -> None:
        visitor.site.behave("vnpay", api={"fault": "http_500"})
        visitor.order()
        visitor.choose("vnpay")
        visitor.at_vnpay()
        visitor.page.go_back()
        visitor.page.get_by_role("button", name=look.says("another")).click()
        visitor.sees(look.says("closing"))
        visitor.look(f"stage-closing-{look}")

    def test_checking(self, visitor: Shopper, look: Look) -> None:
        visitor.site.behave("vnpay", webhook={"drop": True}, api={"fault": "http_500"})
        arrive(visitor, WAYS[2])
        WAYS[2].approve(visitor.page)
        visitor.sees(look.says("checking"))
        visitor.look(f"stage-checking-{look}")

    def test_held(self, visitor: Shopper, look: Look) -> None:
        visitor.site.sign_in()
        order = visitor.site.order("mug", "USD")
        paid = visitor.site.pay(order, token="pm_card_visa", wait_s=10, capture="manual")
        assert paid.json["status"] == "AUTHORIZED"
        visitor.page.goto(order["pay_url"])
        visitor.sees(look.says("held"))
        visitor.look(f"stage-held-{look}")

    def test_cancelled(self, visitor: Shopper, look: Look) -> None:
        visitor.site.sign_in()
        order = visitor.site.order()
        assert visitor.site.api("POST", f"/orders/{order['id']}/cancel").status == 200
        visitor.page.goto(order["pay_url"])
        visitor.sees(look.says("cancelled"))
        visitor.look(f"stage-cancelled-{look}")

    def test_not_needed(self, visitor: Shopper, look: Look) -> None:
        site = visitor.site
        site.sign_in()
        order = site.order()
        payment = site.pay(order, method="vnpay", wait_s=10).json
        visitor.page.goto(payment["next_action"]["url"])
        site.api("POST", f"/payments/{payment['id']}/cancel")
        site.ended(payment["id"])
        assert site.api("POST", f"/orders/{order['id']}/cancel").status == 200
        WAYS[2].approve(visitor.page)
        visitor.sees(look.says("not_needed"))
        visitor.look(f"stage-not-needed-{look}")
