"""Further accounts at a PSP are gateways of their own, set by variables of their own."""

from typing import Any, Final

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from api.generated_docs import read_settings
from config.environment import group
from config.gateway_accounts import with_accounts
from config.gateway_settings import OPTIONS
from tests.config.production import ROOT


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


ADAPTER: Final = "gateways.tinypay.gateway.TinypayGateway"
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

    def test_is_known_to_shoppers_by_the_name_of_the_first(
        self, psps: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        psps["tinypay"]["options"]["brand_name"] = "Tea & Clay"
        options = with_accounts(psps, ACCOUNTS)["tinypay_us"]["options"]
        assert options["brand_name"] == "Tea & Clay"
        monkeypatch.setenv("TINYPAY_US_BRAND_NAME", "Tea & Clay US")
        options = with_accounts(psps, ACCOUNTS)["tinypay_us"]["options"]
        assert options["brand_name"] == "Tea & Clay US"

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


class TestAName:
    @pytest.mark.parametrize("name", ["tinypay_secret", "tinypay_read", "tinypay_webhook"])
    def test_takes_no_variable_of_its_psp_away(self, psps: dict[str, Any], name: str) -> None:
        with pytest.raises(ImproperlyConfigured, match=f"{name.upper()}_.* of tinypay would"):
            with_accounts(psps, {name: "tinypay"})

    def test_takes_no_variable_of_another_account_away(self, psps: dict[str, Any]) -> None:
        with pytest.raises(ImproperlyConfigured, match="TINYPAY_US_API_BASE"):
            with_accounts(psps, ACCOUNTS | {"tinypay_us_api": "tinypay"})

    @pytest.mark.parametrize("name", ["tinypay_apis", "tinypay_account", "tinypay_secretkey"])
    def test_may_begin_as_a_variable_does(self, psps: dict[str, Any], name: str) -> None:
        assert name in with_accounts(psps, {name: "tinypay"})

    def test_is_compared_with_every_option_of_every_gateway(self) -> None:
        text = (ROOT / ".env.example").read_text(encoding="utf-8")
        named = {
            one.name.partition("_")[2].lower()
            for one in read_settings(text)
            if one.section.startswith("Gateways")
            and one.name.startswith(("STRIPE_", "PAYPAL_", "VNPAY_", "MOMO_"))
        }
        assert {option for option in named if "_" in option} == OPTIONS


class TestPaypal:
    def test_shows_the_shops_name_on_its_page(self) -> None:
        assert settings.GATEWAYS["paypal"]["options"]["brand_name"] == settings.SHOP_NAME
