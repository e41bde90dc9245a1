"""MoMo on the local server."""

import pytest

from payments.gateways.momo.config import Config
from payments.gateways.momo.gateway import MomoGateway
from tests.gateways.local_server import LocalServer
from tests.gateways.momo.wallet import OPTIONS


@pytest.fixture
def momo(server: LocalServer) -> MomoGateway:
    return MomoGateway(Config.from_settings({**OPTIONS, "api_base": server.url}))
