"""The certificate that PayPal signed a published webhook with, long over by now."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from gateways.paypal.certificates import _NAME, _common_name
from gateways.paypal.config import Config
from gateways.paypal.gateway import PaypalGateway
from gateways.webhook import WebhookRefused
from tests.gateways.local_server import LocalServer, Reply
from tests.gateways.paypal.account import OPTIONS

_FILE = Path(__file__).parent.parent / "vectors" / "vectors_stripe_paypal.json"


@pytest.fixture
def certificate() -> bytes:
    pem: str = json.loads(_FILE.read_text())["paypal"]["test_certificate_pem"]
    return pem.encode()


def test_has_the_name_that_signs_webhooks(certificate: bytes) -> None:
    assert _NAME.fullmatch(_common_name(x509.load_pem_x509_certificate(certificate)))


def test_is_not_good_today(certificate: bytes, server: LocalServer) -> None:
    config = Config.from_settings({**OPTIONS, "api_base": server.url})
    server.reply(Reply(200, certificate))
    url = f"{server.url}/v1/notifications/certs/CERT-1"
    with pytest.raises(WebhookRefused, match="dates"):
        PaypalGateway(config)._certificates.require_signed(
            url, datetime(2026, 11, 22, tzinfo=UTC), lambda key: key.key_size == 2048
        )
