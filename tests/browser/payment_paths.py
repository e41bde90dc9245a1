"""What a shopper does on the pages of each gateway, whatever their language."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from playwright.sync_api import Page

from tests.browser.shopper import VISA

DECLINED_CARD: Final = "4000 0000 0000 9995"
CHALLENGED_CARD: Final = "4000 0000 0000 3220"


@dataclass(frozen=True)
class Way:
    """One method: what is bought with it, and how its gateway's pages are answered.

    ``stays``: a decline or a change of mind leaves the payment open, and the gateway's page with
    it; else it ends the payment.
    """

    method: str
    gateway: str
    path: str
    sku: str
    currency: str
    minor: int
    approve: Callable[[Page], None]
    decline: Callable[[Page], None]
    cancel: Callable[[Page], None]
    stays: bool
    # From the gateway's first page through its others, nothing paid.
    tour: tuple[Callable[[Page], None], ...]

    def __str__(self) -> str:
        return self.method


def press(page: Page, value: str) -> None:
    """The button that decides ``value``."""
    page.locator(f"button[name=decision][value='{value}']").click()


def pressing(value: str) -> Callable[[Page], None]:
    """The step behind that button."""
    return lambda page: press(page, value)


def pay_by_card(page: Page) -> None:
    """A card that pays."""
    page.locator("[name=number]").fill(VISA)
    press(page, "pay")


def be_declined_by_card(page: Page) -> None:
    """A card without money, then back to the shop."""
    page.locator("[name=number]").fill(DECLINED_CARD)
    press(page, "pay")
    page.get_by_role("alert").wait_for()
    leave_stripe(page)


def fill_in_a_card_without_money(page: Page) -> None:
    """The link of a test card, which fills the fields in."""
    page.locator("a[href*='InsufficientFunds']").click()


def ask_the_bank(page: Page) -> None:
    """A card whose bank wants to be sure, up to the bank's page."""
    page.locator("[name=number]").fill(CHALLENGED_CARD)
    press(page, "pay")
    page.wait_for_url("**/3ds/**")


def leave_stripe(page: Page) -> None:
    """The link back to the shop."""
    page.locator("a[href*='/checkout/ord_']").click()


def pay_by_paypal(page: Page) -> None:
    """Log in, review, pay."""
    press(page, "log_in")
    press(page, "pay")


def be_declined_by_paypal(page: Page) -> None:
    """Log in and choose a card that PayPal will not take."""
    press(page, "log_in")
    page.locator("[value='decline:INSTRUMENT_DECLINED']").check()
    press(page, "pay")


def cancel_at_paypal(page: Page) -> None:
    """Back to the shop before the log-in."""
    press(page, "cancel")


def pay_by_vnpay(page: Page) -> None:
    """The first way that is offered, its test card, and the bank's code."""
    press(page, "next")
    press(page, "card")
    press(page, "approve")


def be_declined_by_vnpay(page: Page) -> None:
    """An account without enough money."""
    press(page, "next")
    press(page, "card")
    press(page, "decline:51")


def cancel_at_vnpay(page: Page) -> None:
    """Back to the shop before anything was chosen."""
    press(page, "cancel")


def open_the_app(page: Page) -> None:
    """What stands for the app, by the link beside the code to scan."""
    page.locator("a[href*='from=web']").click()


def open_the_wallet(page: Page) -> None:
    """The first way that is offered, and then the app."""
    press(page, "method")
    open_the_app(page)


def pay_by_momo(page: Page) -> None:
    """In the wallet, opened beside the code to scan."""
    open_the_wallet(page)
    press(page, "approve")


def be_declined_by_momo(page: Page) -> None:
    """A wallet without enough money."""
    open_the_wallet(page)
    press(page, "decline:1001")


def cancel_at_momo(page: Page) -> None:
    """Back to the shop before anything was chosen."""
    press(page, "cancel")


WAYS: Final = (
    Way(
        "card", "Stripe", "/c/pay/", "mug", "USD", 1_999,
        pay_by_card, be_declined_by_card, leave_stripe, stays=True,
        tour=(fill_in_a_card_without_money, pressing("pay"), ask_the_bank, pressing("abandon")),
    ),
    Way(
        "paypal", "PayPal", "/checkoutnow", "mug", "USD", 1_999,
        pay_by_paypal, be_declined_by_paypal, cancel_at_paypal, stays=True,
        tour=(pressing("log_in"), pressing("abandon")),
    ),
    Way(
        "vnpay", "VNPAY", "/paymentv2/", "coffee-phin", "VND", 125_000,
        pay_by_vnpay, be_declined_by_vnpay, cancel_at_vnpay, stays=False,
        tour=(pressing("next"), pressing("card"), pressing("abandon")),
    ),
    Way(
        "momo", "MoMo", "/v2/gateway/", "coffee-phin", "VND", 125_000,
        pay_by_momo, be_declined_by_momo, cancel_at_momo, stays=False,
        tour=(pressing("method"), open_the_app, pressing("abandon")),
    ),
)  # fmt: skip
