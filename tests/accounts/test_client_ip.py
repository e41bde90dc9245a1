import pytest
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from accounts.client_ip import UNKNOWN, client_ip


def ip(remote: str, forwarded: str | None = None) -> str:
    headers = {"X-Forwarded-For": forwarded} if forwarded is not None else {}
    return client_ip(RequestFactory().get("/", REMOTE_ADDR=remote, headers=headers))


class TestClientIp:
    def test_believes_no_header_without_a_trusted_proxy(self) -> None:
        assert ip("198.51.100.1", "203.0.113.9") == "198.51.100.1"

    @pytest.mark.parametrize(
        ("proxies", "forwarded", "expected"),
        [
            (1, "203.0.113.9", "203.0.113.9"),
            (1, "1.2.3.4, 203.0.113.9", "203.0.113.9"),
            (2, "1.2.3.4, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
            (2, "203.0.113.9", "198.51.100.1"),
            (1, "nonsense", UNKNOWN),
        ],
    )
    def test_believes_what_its_own_proxies_wrote(
        self, settings: Settings, proxies: int, forwarded: str, expected: str
    ) -> None:
        settings.TRUSTED_PROXIES = proxies
        assert ip("198.51.100.1", forwarded) == expected

    @pytest.mark.parametrize(
        ("remote", "expected"),
        [("::ffff:198.51.100.1", "198.51.100.1"), ("fe80::1%eth0", "fe80::1"),
         ("2001:DB8::1", "2001:db8::1"), ("", UNKNOWN), ("unix:", UNKNOWN)],
    )  # fmt: skip
    def test_has_one_form_for_each_address(self, remote: str, expected: str) -> None:
        assert ip(remote) == expected
