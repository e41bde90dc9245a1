"""The page of each gateway names what there is to set, and nothing that there is not."""

import re
from pathlib import Path
from typing import Final

import pytest
from django.conf import settings

from gateways.stripe import mapping
from local.environment import STRIPE_EVENTS

ROOT: Final = Path(__file__).parents[2]
GATEWAYS: Final = ("stripe", "paypal", "vnpay", "momo")
# Only for the sandbox that is emulated here.
NOT_OF_THE_PRODUCT: Final = {"STRIPE_WEBHOOK_EVENTS", "PAYPAL_WEBHOOK_EVENTS"}


class TestManuals:
    def test_are_there_for_every_gateway(self) -> None:
        pages = {path.stem for path in (ROOT / "docs" / "gateways").glob("*.md")}
        assert pages == set(settings.GATEWAYS) == set(GATEWAYS)

    @pytest.mark.parametrize("name", GATEWAYS)
    def test_name_every_setting_and_no_other(self, name: str) -> None:
        page = (ROOT / "docs" / "gateways" / f"{name}.md").read_text()
        known = names(name, (ROOT / ".env.example").read_text()) - NOT_OF_THE_PRODUCT
        # What only the live tests read is told apart by its name.
        told = {each for each in names(name, page) if "_LIVE_TEST_" not in each}
        assert told == known != set()

    @pytest.mark.parametrize("name", GATEWAYS)
    def test_say_which_address_to_register(self, name: str) -> None:
        page = (ROOT / "docs" / "gateways" / f"{name}.md").read_text()
        assert f"<BASE_URL>/webhooks/{name}`" in page


def names(gateway: str, text: str) -> set[str]:
    """The variables of a gateway that a text names."""
    return set(re.findall(rf"\b{gateway.upper()}_[A-Z_]+", text))


# The two events about the charge say the same, and name the card: one event less for a payment.
SAID_BY_THE_CHARGE: Final = {"payment_intent.succeeded"}


class TestStripesManual:
    def test_asks_for_the_events_that_the_adapter_reads(self) -> None:
        read = {
            *mapping.INTENT_EVENTS,
            *mapping.CHARGE_EVENTS,
            *mapping.SESSION_EVENTS,
            *mapping.REFUND_EVENTS,
            *mapping.DISPUTE_EVENTS,
            mapping.DISPUTE_CLOSED,
        }
        assert set(STRIPE_EVENTS) == read - SAID_BY_THE_CHARGE
