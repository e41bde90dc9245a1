"""Asking our adapter while PayPal answers what a test says."""

from typing import Any

from gateways.operation import CaptureMethod, PaymentDetails, Verb
from gateways.outcome import Outcome
from gateways.paypal.gateway import PaypalGateway
from tests.gateways.local_server import LocalServer
from tests.gateways.paypal.account import created
from tests.gateways.samples import operation, run

HELD = created(capture=CaptureMethod.MANUAL, psp_data={"authorization_id": "AUTH1"})
PAID = created(psp_data={"capture_id": "CAP1"})


class Asking:
    """Ask ``verb`` and let PayPal answer ``content``."""

    def __init__(self, paypal: PaypalGateway, server: LocalServer) -> None:
        self._paypal = paypal
        self._server = server

    def __call__(
        self,
        verb: Verb,
        content: object,
        payment: PaymentDetails | None = None,
        status: int = 200,
        **extra: Any,
    ) -> Outcome:
        self._server.reply_json(content, status=status)
        return run(self._paypal, operation(verb, payment or created(), **extra))
