"""Our side of PayPal's webhooks: what trusts a root of the tests."""

from pathlib import Path
from typing import Any

from gateways.paypal.config import Config
from gateways.paypal.gateway import PaypalGateway
from gateways.webhook import Delivery, Notice
from tests.gateways.local_server import LocalServer, Reply
from tests.gateways.paypal.account import OPTIONS, ORDER, capture
from tests.gateways.paypal.authority import CERT_PATH, Authority, delivery, pem

ROOT = Authority("Test Root")
LEAF = ROOT.issue()
EVENT = {
    "id": "WH-1",
    "event_type": "PAYMENT.CAPTURE.COMPLETED",
    "resource": capture(supplementary_data={"related_ids": {"order_id": ORDER}}),
}


class Receiver:
    """An adapter that trusts ``ROOT`` and reads certificates from the local server."""

    def __init__(self, server: LocalServer, folder: Path) -> None:
        self.server = server
        self.roots = folder / "roots.pem"
        self.roots.write_bytes(pem(ROOT.certificate))
        self.url = server.url + CERT_PATH
        self.serve(LEAF)
        self.gateway = self.made()

    def made(self, **options: str) -> PaypalGateway:
        given = {**OPTIONS, "api_base": self.server.url, "cert_roots": str(self.roots), **options}
        return PaypalGateway(Config.from_settings(given))

    def serve(self, *certificates: Any) -> None:
        self.server.reply(Reply(200, pem(*certificates)))

    def read(self, event: dict[str, Any], **changes: Any) -> Notice:
        return self.read_delivery(delivery(event, changes.pop("url", self.url), **changes))

    def read_delivery(self, given: Delivery) -> Notice:
        (notice,) = self.gateway.read_webhook(given)
        return notice
