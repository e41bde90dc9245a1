"""A whole running stack, and a real Chromium in front of it.

Without Chromium these tests are skipped, and the end of the run says so loudly: a suite that is
green because it did nothing must not look like one that passed.
"""

import shutil
from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, ViewportSize, sync_playwright

from tests.browser.look import Look
from tests.browser.shopper import Shopper
from tests.e2e.opening import open_shop
from tests.e2e.shop import Shop, send

CHROMIUM: Final = shutil.which("chromium") or shutil.which("google-chrome")
MISSING: Final = "BROWSER TESTS SKIPPED: no Chromium here (apt-get install chromium)"
ARGUMENTS: Final = (
    "--no-sandbox",  # for root, in a container
    "--disable-gpu",
    # What would only look for the network.
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if CHROMIUM is None:
        terminalreporter.section(MISSING, red=True, bold=True)


@pytest.fixture(scope="package")
def site() -> Iterator[Shop]:
    """The whole product, on servers and ports of its own; people decide at the gateways.

    After all that clicking every invariant holds.
    """
    if CHROMIUM is None:
        pytest.skip(MISSING)
    with open_shop({"DEBUG": "false", "SANDBOX_DECISION": "ask"}) as shop:
        yield shop
        shop.require_sound_books()


@pytest.fixture(scope="module")
def chromium(site: Shop) -> Iterator[Browser]:
    """One browser a module: while it runs, this process cannot use Django's database."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def shopper(site: Shop, chromium: Browser) -> Iterator[Shopper]:
    """Somebody with a fresh browser; afterwards no page may have broken its own rules."""
    yield from _shopper(site, chromium, javascript=True)


@pytest.fixture
def plain_shopper(site: Shop, chromium: Browser) -> Iterator[Shopper]:
    """The same without JavaScript."""
    yield from _shopper(site, chromium, javascript=False)


@pytest.fixture
def visitor(site: Shop, chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Shopper]:
    """Somebody with the screen, the language and the browser of the test's ``Look``."""
    look: Look = request.getfixturevalue("look")
    yield from _shopper(
        site, chromium, javascript=look.javascript, locale=look.locale, viewport=look.viewport
    )


def _shopper(
    site: Shop,
    chromium: Browser,
    *,
    javascript: bool,
    locale: str = "en-GB",
    viewport: ViewportSize | None = None,
) -> Iterator[Shopper]:
    context = chromium.new_context(java_script_enabled=javascript, locale=locale, viewport=viewport)
    shopper = Shopper(site, context, javascript=javascript)
    yield shopper
    shopper.leave()
    send("POST", f"{site.sandbox}/control/reset")
    assert shopper.broken_rules == []
