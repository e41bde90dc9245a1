"""What a shopper does in a browser, in the words of the pages."""

import re
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    WebError,
    expect,
)

from tests.e2e.shop import ROOT, Shop, send

PATIENCE_MS: Final = 30_000
# WCAG 2.2 AA and all that it builds on.
AXE: Final = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
NARROW: Final = 320
BYTES_MAX: Final = 60_000
VISA: Final = "4242 4242 4242 4242"
_REFUSED: Final = re.compile("Content Security Policy|Refused to")
_PARTS: Final = ("stylesheet", "script", "image", "font")
_VNPAY: Final = re.compile("/paymentv2/")
_STRIPE: Final = re.compile("/c/pay/")


# For people to look at; nothing compares them, and nothing commits them.
PICTURES: Final = ROOT / "var" / "screenshots"


class Shopper:
    """One browser with its cookies. ``broken_rules`` collects what no page may do."""

    def __init__(self, site: Shop, context: BrowserContext, *, javascript: bool = True) -> None:
        self.site = site
        self._javascript = javascript
        self.context = context
        self.broken_rules: list[str] = []
        context.set_default_timeout(PATIENCE_MS)
        self._asked_gateways: list[Request] = []
        context.on("request", self._see_request)
        context.on("requestfinished", self._see_answered)
        context.on("response", self._see_response)
        context.on("console", self._see_message)
        context.on("weberror", self._see_error)
        self.page = context.new_page()
        self._before = len(self._book())

    def order(self, sku: str = "coffee-phin", currency: str = "VND", email: str = "") -> str:
        """Buy one thing in the shop; gives the address of the pay page."""
        self.page.goto(f"{self.site.base}/?currency={currency}")
        self.page.locator(f"[name='quantity-{sku}']").fill("1")
        self.page.locator("[name=email]").fill(email)
        self.page.get_by_role("button", name=re.compile("^(Go to payment|Đến bước)")).click()
        self.page.wait_for_url("**/checkout/ord_*")
        return self.page.url

    def choose(self, method: str, page: Page | None = None, *, channel: str = "") -> None:
        """Choose a method and press the button; the next page loads by itself.

        ``channel`` is the line of the method's list, in its own words; "" leaves it as it is.
        """
        page = page or self.page
        page.locator(f"[name=method][value={method}]").check()
        if channel:
            page.locator(f"[name=channel-{method}]").select_option(label=channel)
        page.get_by_role("button", name=re.compile("^(Pay|Thanh toán) ")).click()

    def at_vnpay(self) -> None:
        """Wait for VNPAY's page."""
        self.page.wait_for_url(_VNPAY)

    def at_stripe(self) -> None:
        """Wait for Stripe's page."""
        self.page.wait_for_url(_STRIPE)

    def decide_at_vnpay(self, button: str) -> None:
        """Choose a way and its card, then press ``button`` beside the bank's code."""
        self.at_vnpay()
        for _ in range(2):
            self.page.locator("button[value=next], button[value=card]").click()
        self.page.get_by_role("button", name=re.compile(button)).click()

    def pay_by_card(self, number: str = VISA) -> None:
        """Pay on Stripe's page with a test card."""
        self.at_stripe()
        self.page.get_by_label("Card number").fill(number)
        self.page.get_by_role("button", name=re.compile("^Pay ")).click()

    def prove_to_the_bank(self) -> None:
        """Confirm on the bank's 3-D Secure page."""
        self.page.get_by_role("button", name=re.compile("^Yes, complete")).click()

    def sees(self, heading: str, page: Page | None = None) -> None:
        """The page's heading becomes ``heading``."""
        title = (page or self.page).get_by_role("heading", level=1)
        expect(title).to_have_text(heading, timeout=PATIENCE_MS)

    def sees_pay_page(self) -> None:
        """The pay page opens by itself, however long the earlier payment takes to close."""
        question = self.page.get_by_role("heading", name="How do you want to pay?")
        expect(question).to_be_visible(timeout=PATIENCE_MS)

    def charges(self) -> list[dict[str, Any]]:
        """What the gateways' own book holds since this shopper came: one entry a payment."""
        return self._book()[self._before :]

    def taken(self) -> list[int]:
        """The sums that the gateways really took from this shopper, in minor units."""
        return [charge["captured"] for charge in self.charges() if charge["captured"]]

    def inspect(self) -> None:
        """What must hold on every page: accessible, and readable at 320 px without scrolling."""
        if self._javascript:  # axe is a script itself
            found = Axe().run(self.page, options=AXE)
            assert found.violations_count == 0, found.generate_report()
        size = self.page.viewport_size
        self.page.set_viewport_size({"width": NARROW, "height": 600})
        width = self.page.evaluate("document.documentElement.scrollWidth")
        assert width <= NARROW, f"{self.page.url} is {width} px wide"
        if size:
            self.page.set_viewport_size(size)

    def look(self, name: str) -> None:
        """Inspect the page and take a picture of all of it."""
        self.inspect()
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png", full_page=True)

    def open_another_tab(self, address: str) -> None:
        """Close the page, as if for good, and come back later to ``address``."""
        self._check_what_gateways_heard()
        self.page.close()
        self.page = self.context.new_page()
        self.page.goto(address)

    def leave(self) -> None:
        """Close the browser, after a last look at what it told the gateways."""
        self._check_what_gateways_heard()
        self.context.close()

    def _check_what_gateways_heard(self) -> None:
        for request in self._asked_gateways:
            # The headers that were really sent: those of the event itself are a guess.
            if "checkout/ord_" in request.all_headers().get("referer", ""):
                self.broken_rules.append(f"told the gateway the order's link: {request.url}")
        self._asked_gateways.clear()

    def _book(self) -> list[dict[str, Any]]:
        return list(send("GET", f"{self.site.sandbox}/control/book").json["charges"])

    def _see_request(self, request: Request) -> None:
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(request.url))
        if origin not in {self.site.base, self.site.sandbox}:
            self.broken_rules.append(f"asked {request.url}")

    def _see_answered(self, request: Request) -> None:
        if request.url.startswith(self.site.sandbox):
            self._asked_gateways.append(request)

    def _see_response(self, response: Response) -> None:
        # A page may say "not found"; what a page itself needs may not be missing.
        if response.status >= HTTPStatus.BAD_REQUEST and response.request.resource_type in _PARTS:
            self.broken_rules.append(f"got {response.status} for {response.url}")

    def _see_message(self, message: ConsoleMessage) -> None:
        is_about_loading = message.text.startswith("Failed to load resource")
        if _REFUSED.search(message.text) or (message.type == "error" and not is_about_loading):
            self.broken_rules.append(message.text)

    def _see_error(self, error: WebError) -> None:
        self.broken_rules.append(str(error.error))
