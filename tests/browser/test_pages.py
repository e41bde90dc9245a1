"""The pages in a real browser, against the running product and the gateways emulated beside it.

Only two files on purpose, with test_methods: the stack is started once for each worker of a run.
"""

import re
from typing import Final

import pytest
from playwright.sync_api import expect

from tests.browser.shopper import BYTES_MAX, Shopper

COFFEE: Final = 125_000
PAID: Final = "Paid. Thank you!"
FAILED: Final = "The payment did not go through"
WAITING: Final = "Your payment is waiting for you"
ANOTHER_WAY: Final = "Pay in another way"


class TestVnpay:
    def test_is_paid_once_and_gives_a_receipt(self, shopper: Shopper) -> None:
        shopper.order()
        shopper.choose("vnpay")
        shopper.decide_at_vnpay("^Pay 125,000")
        shopper.sees(PAID)
        shopper.page.get_by_role("link", name="Show the receipt").click()
        expect(shopper.page.get_by_role("table")).to_contain_text("₫125,000")
        assert shopper.taken() == [COFFEE]

    def test_is_tried_again_after_a_decline(self, shopper: Shopper) -> None:
        shopper.order()
        shopper.choose("vnpay")
        shopper.decide_at_vnpay("balance is too low")
        shopper.sees(FAILED)
        expect(shopper.page.get_by_text("You were not charged for it.")).to_be_visible()
        shopper.page.get_by_role("link", name="Try again").click()
        expect(shopper.page.locator("[value=vnpay]")).to_be_checked()
        shopper.choose("vnpay")
        shopper.decide_at_vnpay("^Pay 125,000")
        shopper.sees(PAID)
        assert shopper.taken() == [COFFEE]

    def test_is_cancelled_there_and_paid_by_card(self, shopper: Shopper) -> None:
        shopper.order()
        shopper.choose("vnpay")
        shopper.at_vnpay()
        shopper.page.get_by_role("button", name="Cancel").click()
        shopper.sees("You cancelled the payment")
        shopper.page.get_by_role("link", name=ANOTHER_WAY).click()
        shopper.choose("card")
        shopper.pay_by_card()
        shopper.sees(PAID)
        assert shopper.taken() == [COFFEE]

    def test_is_left_for_another_way_once_vnpay_calls_it_unpaid(self, shopper: Shopper) -> None:
        shopper.order()
        shopper.choose("vnpay")
        shopper.at_vnpay()
        shopper.page.go_back()
        shopper.sees(WAITING)
        shopper.page.get_by_role("button", name=ANOTHER_WAY).click()
        shopper.sees_pay_page()
        shopper.choose("card")
        shopper.pay_by_card()
        shopper.sees(PAID)
        assert shopper.taken() == [COFFEE]


class TestCard:
    def test_is_paid_on_the_page_of_stripe(self, shopper: Shopper) -> None:
        shopper.order("mug", "USD")
        shopper.choose("card")
        shopper.pay_by_card()
        shopper.sees(PAID)
        shopper.page.get_by_role("link", name="Show the receipt").click()
        expect(shopper.page.get_by_role("table")).to_contain_text("$19.99")
        expect(shopper.page.get_by_text("Visa •••• 4242")).to_be_visible()
        assert shopper.taken() == [1_999]

    def test_is_tried_again_there_after_a_decline(self, shopper: Shopper) -> None:
        shopper.order()
        shopper.choose("card")
        shopper.pay_by_card("4000 0000 0000 9995")
        shopper.pay_by_card()
        shopper.sees(PAID)
        assert shopper.taken() == [COFFEE]

    def test_is_proved_to_the_bank_before_it_is_taken(self, shopper: Shopper) -> None:
        shopper.order("mug", "USD")
        shopper.choose("card")
        shopper.pay_by_card("4000 0000 0000 3220")
        assert shopper.taken() == []
        shopper.prove_to_the_bank()
        shopper.sees(PAID)
        assert shopper.taken() == [1_999]

    def test_is_given_up_there_and_closed_before_vnpay_is_paid(self, shopper: Shopper) -> None:
        shopper.order()
        shopper.choose("card")
        shopper.at_stripe()
        shopper.page.get_by_role("link", name="Back to the shop").click()
        shopper.sees(WAITING)
        shopper.page.get_by_role("button", name=ANOTHER_WAY).click()
        shopper.sees_pay_page()
        shopper.choose("vnpay")
        shopper.decide_at_vnpay("^Pay 125,000")
        shopper.sees(PAID)
        assert [charge["status"] for charge in shopper.charges()] == ["expired", "captured"]


class TestPaypal:
    def test_is_confirmed_there_and_collected(self, shopper: Shopper) -> None:
        shopper.order("mug", "USD")
        shopper.choose("paypal")
        shopper.page.get_by_role("button", name="Log in").click()
        shopper.page.get_by_role("button", name="Pay 19.99 USD").click()
        shopper.sees(PAID)
        assert shopper.taken() == [1_999]


class TestMomo:
    def test_shows_the_code_to_scan_and_is_paid_in_the_app(self, shopper: Shopper) -> None:
        shopper.order()
        shopper.choose("momo", channel="MoMo wallet")
        shopper.page.wait_for_url(re.compile("/v2/gateway/pay"))
        shopper.page.go_back()
        shopper.sees(WAITING)
        expect(shopper.page.locator(".qr svg")).to_be_visible()
        shopper.inspect()
        shopper.page.get_by_role("link", name="Continue at MoMo").click()
        shopper.page.get_by_text("Pay here with a test wallet").click()
        shopper.page.get_by_role("button", name="Pay 125,000 VND").click()
        shopper.sees(PAID)
        assert shopper.taken() == [COFFEE]


class TestADoor:
    """Which way a shopper wants to pay at VNPAY or MoMo, chosen on our page already."""

    def test_is_asked_for_only_once_its_method_is_chosen(self, shopper: Shopper) -> None:
        shopper.order()
        channel = shopper.page.get_by_label("Way to pay at VNPAY")
        expect(channel).to_be_hidden()
        shopper.page.locator("[value=vnpay]").check()
        expect(channel).to_be_visible()
        expect(channel).to_have_value("")
        expect(shopper.page.get_by_label("Way to pay at MoMo")).to_be_hidden()
        shopper.inspect()

    def test_leads_straight_to_the_code_of_vnpay(self, shopper: Shopper) -> None:
        shopper.order()
        shopper.choose("vnpay", channel="QR code with a banking app")
        shopper.at_vnpay()
        expect(shopper.page.locator("svg")).to_be_visible()
        shopper.inspect()
        shopper.page.get_by_role("button", name="Pay 125,000 VND").click()
        shopper.sees(PAID)
        shopper.page.get_by_role("link", name="Show the receipt").click()
        expect(shopper.page.get_by_text("QR code with a banking app")).to_be_visible()
        shopper.inspect()
        assert shopper.taken() == [COFFEE]

    def test_leads_straight_to_the_atm_cards_of_momo(self, plain_shopper: Shopper) -> None:
        shopper = plain_shopper
        shopper.order()
        shopper.choose("momo", channel="Domestic card or bank account")
        shopper.page.get_by_role("button", name="Continue").click()
        shopper.page.get_by_role("button", name="Pay 125,000 VND").click()
        shopper.sees(PAID)
        assert shopper.taken() == [COFFEE]

    def test_is_remembered_for_the_next_try(self, shopper: Shopper) -> None:
        shopper.order()
        shopper.choose("vnpay", channel="International card")
        shopper.at_vnpay()
        shopper.inspect()
        shopper.page.get_by_role("button", name="Continue").click()
        shopper.page.get_by_role("button", name="balance is too low").click()
        shopper.sees(FAILED)
        shopper.page.get_by_role("link", name="Try again").click()
        channel = shopper.page.get_by_label("Way to pay at VNPAY")
        expect(channel).to_have_value("international_card")
        shopper.choose("vnpay", channel="Choose at VNPAY")
        shopper.decide_at_vnpay("^Pay 125,000")
        shopper.sees(PAID)
        assert shopper.taken() == [COFFEE]

    def test_is_chosen_by_the_keyboard(self, shopper: Shopper) -> None:
        shopper.order()
        page = shopper.page
        page.locator("[value=vnpay]").check()
        page.keyboard.press("Tab")
        expect(page.get_by_label("Way to pay at VNPAY")).to_be_focused()
        page.keyboard.press("ArrowDown")
        expect(page.get_by_label("Way to pay at VNPAY")).to_have_value("qr")
        expect(page.locator("[value=vnpay]")).to_be_checked()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        shopper.at_vnpay()
        expect(page.locator("svg")).to_be_visible()


class TestTwice:
    def test_a_double_click_is_one_payment(self, shopper: Shopper) -> None:
        shopper.order()
        shopper.page.locator("[value=vnpay]").check()
        shopper.page.get_by_role("button", name=re.compile("^Pay ")).dblclick(no_wait_after=True)
        shopper.decide_at_vnpay("^Pay 125,000")
        shopper.sees(PAID)
        assert len(shopper.charges()) == 1

    def test_a_double_click_in_the_shop_is_one_order(self, plain_shopper: Shopper) -> None:
        def count() -> int:
            [(orders,)] = plain_shopper.site.query("SELECT count(*) FROM orders")
            return int(orders)

        before, page = count(), plain_shopper.page
        page.goto(f"{plain_shopper.site.base}/?currency=VND")
        page.locator("[name=quantity-coffee-phin]").fill("1")
        page.get_by_role("button", name="Go to payment").dblclick(no_wait_after=True)
        page.wait_for_url("**/checkout/ord_*")
        assert count() == before + 1

    def test_a_second_tab_shows_the_payment_of_the_first(self, shopper: Shopper) -> None:
        link = shopper.order()
        second = shopper.context.new_page()
        second.goto(link)
        shopper.choose("vnpay")
        shopper.at_vnpay()
        shopper.choose("card", second)
        shopper.sees(WAITING, second)
        shopper.decide_at_vnpay("^Pay 125,000")
        shopper.sees(PAID)
        # It was only looked at, and has changed by itself.
        shopper.sees(PAID, second)
        assert shopper.taken() == [COFFEE]

    def test_the_back_button_never_throws_the_shopper_out_again(self, shopper: Shopper) -> None:
        shopper.order()
        shopper.choose("vnpay")
        shopper.at_vnpay()
        shopper.page.go_back()
        shopper.sees(WAITING)
        shopper.page.reload()
        shopper.sees(WAITING)
        shopper.page.get_by_role("link", name="Continue at VNPAY").click()
        shopper.decide_at_vnpay("^Pay 125,000")
        shopper.sees(PAID)
        assert shopper.taken() == [COFFEE]

    def test_reloading_any_page_pays_nothing_more(self, shopper: Shopper) -> None:
        link = shopper.order()
        shopper.page.reload()
        shopper.page.get_by_role("button", name=re.compile("^Pay ")).click()
        expect(shopper.page.get_by_role("alert")).to_be_focused()
        shopper.page.reload()
        shopper.choose("vnpay")
        shopper.decide_at_vnpay("^Pay 125,000")
        shopper.sees(PAID)
        for address in (shopper.page.url, link, f"{link}/pay", f"{link}/status"):
            shopper.page.goto(address)
            shopper.page.reload()
        assert shopper.taken() == [COFFEE]


class TestWithoutJavaScript:
    def test_everything_works(self, plain_shopper: Shopper) -> None:
        plain_shopper.order()
        plain_shopper.choose("vnpay")
        plain_shopper.decide_at_vnpay("balance is too low")
        plain_shopper.sees(FAILED)
        plain_shopper.page.get_by_role("link", name="Try again").click()
        plain_shopper.choose("card")
        plain_shopper.pay_by_card()
        plain_shopper.sees(PAID)
        assert plain_shopper.taken() == [COFFEE]


class TestPatience:
    def test_the_page_waits_for_a_slow_gateway_and_then_goes_on(self, shopper: Shopper) -> None:
        shopper.site.behave("stripe", api={"fault": "slow:3000"})
        shopper.order()
        shopper.choose("card")
        shopper.sees("Connecting to Stripe")
        shopper.inspect()
        shopper.at_stripe()

    def test_the_page_says_checking_until_the_gateway_has_spoken(self, shopper: Shopper) -> None:
        shopper.site.behave("vnpay", webhook={"drop": True}, api={"fault": "http_500"})
        shopper.order()
        shopper.choose("vnpay")
        shopper.decide_at_vnpay("^Pay 125,000")
        shopper.sees("Checking your payment")
        expect(shopper.page.get_by_text("Please do not pay a second time")).to_be_visible()
        shopper.page.reload()
        shopper.sees("Checking your payment")
        shopper.inspect()
        shopper.site.behave("vnpay")
        shopper.sees(PAID)
        assert shopper.taken() == [COFFEE]


class TestForEverybody:
    def test_each_page_is_accessible_and_fits_a_small_screen(self, shopper: Shopper) -> None:
        page = shopper.page
        page.goto(f"{shopper.site.base}/")
        shopper.inspect()
        page.get_by_role("button", name="Go to payment").click()
        shopper.inspect()
        shopper.order()
        shopper.inspect()
        page.get_by_role("button", name=re.compile("^Pay ")).click()
        shopper.inspect()
        shopper.choose("vnpay")
        shopper.at_vnpay()
        page.go_back()
        shopper.sees(WAITING)
        shopper.inspect()
        page.get_by_role("link", name="Continue at VNPAY").click()
        shopper.decide_at_vnpay("balance is too low")
        shopper.sees(FAILED)
        shopper.inspect()
        page.get_by_role("link", name="Try again").click()
        shopper.inspect()
        shopper.choose("vnpay")
        shopper.decide_at_vnpay("^Pay 125,000")
        shopper.sees(PAID)
        shopper.inspect()
        page.get_by_role("link", name="Show the receipt").click()
        shopper.inspect()
        page.goto(f"{shopper.site.base}/nowhere")
        shopper.inspect()

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_signing_in_and_the_orders_are_too(self, shopper: Shopper, scheme: str) -> None:
        page = shopper.page
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.goto(f"{shopper.site.base}/login")
        page.get_by_role("button", name="Sign in").click()
        shopper.inspect()
        page.get_by_label("User name").fill("shopper")
        page.get_by_label("Password").fill(shopper.site.stack.settings["DEMO_PASSWORD"])
        page.get_by_role("button", name="Sign in").click()
        shopper.sees("Your orders")
        shopper.order()
        shopper.inspect()
        page.get_by_role("link", name="Your orders").click()
        expect(page.get_by_text("Waiting for payment").first).to_be_visible()
        shopper.inspect()

    def test_a_keyboard_is_enough(self, shopper: Shopper) -> None:
        shopper.order()
        page = shopper.page
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        for _ in range(2):  # the summary of the order, then the methods
            page.keyboard.press("Tab")
        page.keyboard.press("ArrowDown")
        expect(page.locator("[value=vnpay]")).to_be_checked()
        page.keyboard.press("Enter")
        shopper.at_vnpay()

    def test_vietnamese_is_kept_and_told_to_the_gateway(self, shopper: Shopper) -> None:
        shopper.order()
        shopper.page.locator("[name=language][value=vi]").click()
        expect(shopper.page.locator("html")).to_have_attribute("lang", "vi")
        expect(shopper.page.get_by_role("button", name="Thanh toán 125.000\u00a0₫")).to_be_visible()
        shopper.inspect()
        shopper.choose("vnpay")
        shopper.at_vnpay()
        expect(shopper.page.locator("html")).to_have_attribute("lang", "vi")

    def test_a_page_is_small(self, shopper: Shopper) -> None:
        link = shopper.order()
        sizes: list[int] = []
        shopper.page.on("response", lambda answer: sizes.append(len(answer.body())))
        shopper.page.goto(link, wait_until="networkidle")
        assert len(sizes) >= 3
        assert sum(sizes) < BYTES_MAX

    def test_the_receipt_prints_without_the_site_around_it(self, shopper: Shopper) -> None:
        shopper.order()
        shopper.choose("vnpay")
        shopper.decide_at_vnpay("^Pay 125,000")
        shopper.page.get_by_role("link", name="Show the receipt").click()
        shopper.page.emulate_media(media="print")
        expect(shopper.page.get_by_role("navigation")).to_be_hidden()
        expect(shopper.page.get_by_role("contentinfo")).to_be_hidden()
        expect(shopper.page.get_by_role("table")).to_be_visible()
