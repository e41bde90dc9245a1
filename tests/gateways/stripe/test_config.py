"""Reading Stripe's settings."""

import pytest

from gateways.stripe.config import Config

OPTIONS = {"secret_key": "sk_test_abc", "webhook_secrets": "whsec_a, whsec_b,"}


class TestConfig:
    def test_reads_several_webhook_secrets(self) -> None:
        assert Config.from_settings(OPTIONS).webhook_secrets == ("whsec_a", "whsec_b")

    @pytest.mark.parametrize(
        ("key", "live"),
        [("sk_test_1", False), ("rk_test_1", False), ("sk_live_1", True), ("rk_live_1", True)],
    )
    def test_takes_the_mode_from_the_key(self, key: str, live: bool) -> None:
        assert Config.from_settings({**OPTIONS, "secret_key": key}).live is live

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("secret_key", ""),
            ("secret_key", "pk_test_abc"),
            ("webhook_secrets", ""),
            ("webhook_secrets", "whsec_a,secret"),
            ("api_base", "http://api.stripe.com"),
        ],
    )
    def test_names_what_is_wrong(self, key: str, value: str) -> None:
        with pytest.raises(ValueError, match=key):
            Config.from_settings({**OPTIONS, key: value})

    def test_never_shows_a_secret(self) -> None:
        shown = repr(Config.from_settings(OPTIONS))
        assert "sk_test_abc" not in shown
        assert "whsec_a" not in shown
