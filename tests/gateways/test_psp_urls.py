"""Which URLs of an answer a shopper may be sent to."""

import pytest

from gateways.psp_urls import PspUrls

LIVE = PspUrls("https://payment.momo.vn", domain="momo.vn", app_scheme="momo")
LOCAL = PspUrls("http://127.0.0.1:8100", domain="momo.vn")


class TestIsOwn:
    @pytest.mark.parametrize(
        "url", ["https://payment.momo.vn/pay?t=1", "https://momo.vn/", "https://Test.MoMo.vn/x"]
    )
    def test_accepts_https_at_the_domain_and_below_it(self, url: str) -> None:
        assert LIVE.is_own(url)

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "http://payment.momo.vn/pay",
            "https://payment.momo.vn.evil.example/",
            "https://evilmomo.vn/",
            "https://evil.example\\.momo.vn/",
            "https://evil.example@payment.momo.vn/",
            "https://payment.momo.vn:8443/",
            "https://[momo.vn/",
            "http://127.0.0.1:8100/pay",
            "javascript:alert(1)",
        ],
    )
    def test_refuses_every_other_url(self, url: str) -> None:
        assert not LIVE.is_own(url)

    @pytest.mark.parametrize("url", ["http://127.0.0.1:8100/x", "http://localhost:8100/x"])
    def test_accepts_an_emulated_psp_by_each_name_of_this_machine(self, url: str) -> None:
        assert LOCAL.is_own(url)

    def test_refuses_a_user_name_on_this_machine(self) -> None:
        assert not LOCAL.is_own("http://me@localhost:8100/x")


class TestIsOwnAppLink:
    def test_accepts_the_scheme_of_the_app_and_own_pages(self) -> None:
        assert LIVE.is_own_app_link("momo://app?x=1")
        assert LIVE.is_own_app_link("https://momo.vn/app")

    @pytest.mark.parametrize("url", ["", "javascript:alert(1)", "other://app", "momo://["])
    def test_refuses_every_other_link(self, url: str) -> None:
        assert not LIVE.is_own_app_link(url)

    def test_knows_no_scheme_where_there_is_no_app(self) -> None:
        assert not LOCAL.is_own_app_link("momo://app")
