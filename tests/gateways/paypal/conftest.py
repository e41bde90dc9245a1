"""PayPal on the local server."""

import json
from pathlib import Path

import pytest

from gateways.paypal.config import Config
from gateways.paypal.gateway import PaypalGateway
from tests.gateways.local_server import LocalServer, Reply
from tests.gateways.paypal.account import OPTIONS, TOKEN
from tests.gateways.paypal.asking import Asking
from tests.gateways.paypal.receiver import Receiver


@pytest.fixture
def paypal(server: LocalServer) -> PaypalGateway:
    """An adapter that has its token already."""
    gateway = PaypalGateway(Config.from_settings({**OPTIONS, "api_base": server.url}))
    server.reply(Reply(200, json.dumps(TOKEN).encode()))
    gateway._tokens.get()
    server.received.clear()
    return gateway


@pytest.fixture
def ask(paypal: PaypalGateway, server: LocalServer) -> Asking:
    return Asking(paypal, server)


@pytest.fixture
def receiver(server: LocalServer, tmp_path: Path) -> Receiver:
    return Receiver(server, tmp_path)
