"""One running stack for the end-to-end tests, with short schedules and real processes."""

from collections.abc import Iterator
from typing import Final

import pytest

from tests.e2e.opening import open_shop
from tests.e2e.shop import Shop

# Real timeouts, only shorter, so that a lost answer costs seconds here.
IMPATIENT: Final = {
    "STRIPE_READ_TIMEOUT_S": "2",
    "PAYPAL_READ_TIMEOUT_S": "8",
    "VNPAY_READ_TIMEOUT_S": "2",
    "MOMO_READ_TIMEOUT_S": "2",
    "LEASE_MARGIN_S": "1",
    "SANDBOX_DECISION": "approve",
}


@pytest.fixture(scope="package")
def running() -> Iterator[Shop]:
    """The whole product, on servers and ports of its own."""
    with open_shop(IMPATIENT) as shop:
        yield shop


@pytest.fixture(scope="module")
def shop(running: Shop) -> Iterator[Shop]:
    """A shopper who has just signed in; afterwards nothing is under way and the books are sound.

    That is checked once for a file: every look at the books costs a process.
    """
    running.sign_in()
    yield running
    # What one file left must not reach the next one, in whatever order they run.
    running.restore_gateways()
    running.come_to_rest()
    running.require_sound_books("--quiescent")
