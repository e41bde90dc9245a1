"""PayPal on the local server."""

import json

import pytest

from payments.gateways.paypal.config import Config
from payments.gateways.paypal.gateway import PaypalGateway
from tests.gateways.local_server import LocalServer, Reply
from tests.gateways.paypal.account import OPTIONS, TOKEN


@pytest.fixture
def paypal(server: LocalServer) -> PaypalGateway:
    """An adapter that has its token already."""
    gateway = PaypalGateway(Config.from_settings({**OPTIONS, "api_base": server.url}))
    server.reply(Reply(200, json.dumps(TOKEN).encode()))
    gateway._tokens.get()
    server.received.clear()
    return gateway
