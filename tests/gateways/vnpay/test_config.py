"""Reading VNPAY's settings."""

import pytest

from gateways.vnpay.config import Config
from gateways.vnpay.gateway import VnpayGateway

OPTIONS = {
    "tmn_code": "SIMTMN01",
    "hash_secret": "NEW , OLD,",
    "pay_url": "https://sandbox.vnpayment.vn/paymentv2/vpcpay.html",
    "api_url": "https://sandbox.vnpayment.vn/merchant_webapi/api/transaction",
}


class TestConfig:
    def test_takes_the_newest_secret_first(self) -> None:
        assert Config.from_settings(OPTIONS).hash_secrets == ("NEW", "OLD")

    @pytest.mark.parametrize("missing", OPTIONS)
    def test_names_what_is_missing(self, missing: str) -> None:
        with pytest.raises(ValueError, match=missing):
            Config.from_settings({**OPTIONS, missing: ""})

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("tmn_code", "SHORT"),
            ("pay_url", "http://pay.vnpay.vn/vpcpay.html"),
            ("api_url", "not a URL"),
            ("server_ip", "somewhere"),
            ("hash_secret", " , "),
        ],
    )
    def test_refuses_what_is_malformed(self, key: str, value: str) -> None:
        with pytest.raises(ValueError, match=key if key != "server_ip" else "somewhere"):
            Config.from_settings({**OPTIONS, key: value})

    def test_is_live_only_on_the_production_page(self) -> None:
        live = {**OPTIONS, "pay_url": "https://pay.vnpay.vn/vpcpay.html"}
        assert VnpayGateway.from_settings(live).live is True
        assert VnpayGateway.from_settings(OPTIONS).live is False

    def test_never_shows_a_secret(self) -> None:
        assert "NEW" not in repr(Config.from_settings(OPTIONS))
