"""A whole running stack, and a real Chromium in front of it.

Without Chromium these tests are skipped, and the end of the run says so loudly: a suite that is
green because it did nothing must not look like one that passed.
"""

import shutil
from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, ViewportSize, sync_playwright

from local import environment, ports, servers
from local.stack import ALL, Stack
from tests.browser.look import Look
from tests.browser.shopper import Shopper
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
SHORT: Final = {
    "DEBUG": "false",
    # VNPAY answers a query every 5 minutes: here every 3 seconds.
    "QUERY_SCHEDULE_SCALE": "0.01",
    "SWEEP_EVERY_S": "0.5",
    "SANDBOX_DECISION": "ask",
    "DEMO_PASSWORD": "a-demo-password-for-tests",
    "RATE_TOKEN": "1000/min",
    "RATE_WRITES": "10000/min",
    "RATE_FORMS": "10000/min",
}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if CHROMIUM is None:
        terminalreporter.section(MISSING, red=True, bold=True)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The whole product, on servers and ports of its own; people decide at the gateways."""
    if CHROMIUM is None:
        pytest.skip(MISSING)
    folder = tmp_path_factory.mktemp("browser")
    for place in (folder, *folder.parents[:2]):
        # PostgreSQL may have to run as another user, who must reach its folder.
        place.chmod(0o755)
    with servers.start(folder / "servers", durable=False) as running:
        addresses = environment.Addresses(
            database_url=running.database_url,
            redis_url=running.redis_url,
            port=ports.free_port(),
            sandbox_port=ports.free_port(),
        )
        settings = environment.build("test", data_dir=folder, addresses=addresses, given={})
        shop = Shop(Stack(settings | SHORT, running.guard), running)
        for command in ("migrate", "seed_demo"):
            done = shop.manage(command)
            assert done.returncode == 0, done.stderr
        shop.stack.start(*ALL)
        yield shop
        shop.stack.stop()


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


@pytest.fixture(scope="session", autouse=True)
def _sound_books(site: Shop) -> Iterator[None]:
    """After all that clicking every invariant holds."""
    yield
    site.require_sound_books()
