"""MoMo on the local server."""

import pytest

from gateways.momo.config import Config
from gateways.momo.gateway import MomoGateway
from tests.gateways.local_server import LocalServer
from tests.gateways.momo.wallet import OPTIONS


@pytest.fixture
def momo(server: LocalServer) -> MomoGateway:
    return MomoGateway(Config.from_settings({**OPTIONS, "api_base": server.url}))
