"""One terminal at a VNPAY that is the local server."""

import pytest

from gateways.vnpay.config import Config
from gateways.vnpay.gateway import VnpayGateway
from tests.gateways.local_server import LocalServer
from tests.gateways.vnpay.psp_samples import OLD_SECRET, SECRET, TMN_CODE


@pytest.fixture
def config(server: LocalServer) -> Config:
    return Config.from_settings(
        {
            "tmn_code": TMN_CODE,
            "hash_secret": f"{SECRET}, {OLD_SECRET}",
            "pay_url": "https://sandbox.vnpayment.vn/paymentv2/vpcpay.html",
            "api_url": server.url + "/merchant_webapi/api/transaction",
            "server_ip": "10.1.2.3",
        }
    )


@pytest.fixture
def gateway(config: Config) -> VnpayGateway:
    return VnpayGateway(config)
