"""Further accounts at a PSP are gateways of their own, set by variables of their own."""

from typing import Any, Final

import pytest

from config.environment import group
from config.gateway_accounts import with_accounts


@pytest.fixture
def psps(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    for name, value in {
        "TINYPAY_SECRET": "first-secret",
        "TINYPAY_API_BASE": "https://test.tinypay.example",
        "TINYPAY_US_SECRET": "second-secret",
        "TINYPAY_US_CURRENCIES": "USD",
    }.items():
        monkeypatch.setenv(name, value)
    options = group("TINYPAY_", api_base="https://api.tinypay.example")
    return {"tinypay": {"adapter": ADAPTER, "options": options, "enabled": True}}


ADAPTER: Final = "payments.gateways.tinypay.gateway.TinypayGateway"
ACCOUNTS: Final = {"tinypay_us": "tinypay"}


class TestAFurtherAccount:
    def test_has_its_own_keys_at_the_address_of_its_psp(self, psps: dict[str, Any]) -> None:
        account = with_accounts(psps, ACCOUNTS)["tinypay_us"]
        assert account == {
            "adapter": ADAPTER,
            "options": {
                "api_base": "https://test.tinypay.example",
                "secret": "second-secret",
                "currencies": "USD",
            },
            "enabled": True,
        }

    def test_keeps_its_keys_from_the_first_one(self, psps: dict[str, Any]) -> None:
        first = with_accounts(psps, ACCOUNTS)["tinypay"]
        assert "second-secret" not in first["options"].values()
        assert first["options"]["secret"] == "first-secret"

    def test_keeps_its_keys_from_one_with_a_shorter_name(
        self, psps: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TINYPAY_US_WEST_SECRET", "third-secret")
        entries = with_accounts(psps, ACCOUNTS | {"tinypay_us_west": "tinypay"})
        assert "third-secret" not in entries["tinypay_us"]["options"].values()
        assert entries["tinypay_us_west"]["options"]["secret"] == "third-secret"
        monkeypatch.delenv("TINYPAY_US_SECRET")
        monkeypatch.delenv("TINYPAY_US_CURRENCIES")
        entries = with_accounts(psps, ACCOUNTS | {"tinypay_us_west": "tinypay"})
        assert entries["tinypay_us"]["enabled"] is False

    def test_is_not_offered_without_keys(self, psps: dict[str, Any]) -> None:
        account = with_accounts(psps, {"tinypay_jp": "tinypay"})["tinypay_jp"]
        assert account["enabled"] is False
        assert "secret" not in account["options"]
