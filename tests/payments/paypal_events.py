"""PayPal's webhooks on their way to our inbox, signed and proven like real ones."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.test import Client
from django.utils import timezone

from gateways.paypal.config import Config
from gateways.paypal.gateway import PaypalGateway
from payments.models import Transaction
from payments.routing.registry import gateways
from tests.gateways.local_server import LocalServer, Reply
from tests.gateways.paypal.account import OPTIONS, order
from tests.gateways.paypal.authority import CERT_PATH, WEBHOOK_ID, Authority, delivery, pem

PATH = "/webhooks/paypal"


class Paypal:
    """PayPal with a certificate to fetch, which can be away, and webhooks in its name."""

    def __init__(self, folder: Path) -> None:
        self.server = LocalServer()
        self._root = Authority("Test Root", at=timezone.now())
        self._roots = folder / "roots.pem"
        self._roots.write_bytes(pem(self._root.certificate))
        self.is_away()

    def adapter(self) -> PaypalGateway:
        options = {"api_base": self.server.url, "cert_roots": str(self._roots)}
        return PaypalGateway(Config.from_settings({**OPTIONS, **options}))

    def is_away(self) -> None:
        self.server.reply(Reply(fault="reset"))
        gateways()["paypal"] = self.adapter()

    def is_back(self) -> None:
        self.server.reply(Reply(200, pem(self._root.issue(at=timezone.now()))))
        # As after the pause that an adapter makes when nobody answered.
        gateways()["paypal"] = self.adapter()

    def send(self, payment: Transaction, *, webhook_id: str = WEBHOOK_ID, **changes: Any) -> int:
        """Tell of the approval of ``payment``; the status of our answer."""
        resource: dict[str, Any] = order("APPROVED")
        ours = {"custom_id": payment.reference, "invoice_id": payment.reference}
        resource["purchase_units"][0] |= ours
        event = {"id": "WH-1", "event_type": "CHECKOUT.ORDER.APPROVED", "resource": resource}
        sent = delivery(event | changes, self.server.url + CERT_PATH, webhook_id=webhook_id)
        answer = Client().post(PATH, sent.body, "application/json", headers=dict(sent.headers))
        return answer.status_code


@contextmanager
def told_by_paypal(folder: Path) -> Iterator[Paypal]:
    """PayPal in the place of the configured one."""
    configured = gateways()["paypal"]
    made = Paypal(folder)
    yield made
    gateways()["paypal"] = configured
    made.server.close()
