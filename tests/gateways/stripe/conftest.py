"""One Stripe account at a Stripe that is the local server."""

import pytest

from gateways.stripe.gateway import StripeGateway
from tests.gateways.local_server import LocalServer


@pytest.fixture
def gateway(server: LocalServer) -> StripeGateway:
    return StripeGateway.from_settings(
        {
            "secret_key": "sk_test_abc123",
            "webhook_secrets": "whsec_new,whsec_old",
            "api_base": server.url,
        }
    )
