"""Stripe as a Gateway: a PaymentIntent where there is a token, Stripe's page where there is none.

Reference: docs.stripe.com/api, version 2026-10-28.endive.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import cast

from typing_extensions import override

from gateways.capabilities import Capabilities, SettlementSource
from gateways.http import HttpAnswer, TransportError
from gateways.http_gateway import HttpGateway
from gateways.operation import Json, Operation, PaymentDetails
from gateways.outcome import Outcome
from gateways.settlement import Payout, SettlementRecord
from gateways.stripe import amounts, objects, requests, responses, webhooks
from gateways.stripe.client import Client
from gateways.stripe.config import Config
from gateways.stripe.reports import Reports
from gateways.webhook import Delivery, Notice


class StripeGateway(HttpGateway[Config]):
    """One Stripe account."""

    name = "stripe"
    config_class = Config
    request_builders = requests.BUILDERS
    personal_members = responses.PERSONAL
    webhook_answers = webhooks.ANSWERS
    proof_headers = (webhooks.HEADER,)
    secondary_reference_keys = (requests.INTENT_KEY, requests.SESSION_KEY, "charge")
    capabilities = Capabilities(
        limits=amounts.LIMITS,
        steps=amounts.STEPS,
        methods=frozenset({"card"}),
        manual_capture=True,
        partial_capture=True,
        void=True,
        refund=True,
        partial_refund=True,
        close=True,
        takes_token=True,
        settlement=SettlementSource.API,
        payouts=True,
        disputes=True,
    )
    # Stripe may forget a key after 24 h, and then the same request is a second charge.
    key_lifetime = timedelta(hours=20)
    # Stripe refuses a page that ends less than 30 min after it is asked for; the rest is for a
    # backlog before the call.
    link_lifetime = timedelta(hours=2)

    def __init__(self, config: Config, *, read_timeout_s: float | None = None) -> None:
        super().__init__(config, read_timeout_s=read_timeout_s)
        self._client = Client(config, self._http)
        self._reports = Reports(self._client)

    @override
    def named_account(self) -> str:
        try:
            answer = self._client.call("accounts.retrieve_current", "", {}, "")
        except TransportError:
            return ""
        # An error has no id: a restricted key may not ask.
        return objects.text(answer.json() or {}, "id")

    @override
    def send_request(self, operation: Operation) -> HttpAnswer:
        request = operation.request
        params = requests.with_token(cast("Json", request["params"]), operation.token)
        call, key = str(request["call"]), str(request["id"])
        return self._client.call(call, key, params, operation.reference)

    @override
    def read_answer(self, operation: Operation, answer: HttpAnswer) -> Outcome:
        return responses.read_answer(operation, answer)

    @override
    def read_webhook(self, delivery: Delivery) -> tuple[Notice, ...]:
        return (webhooks.read(delivery, self._config.webhook_secrets),)

    @override
    def sample_webhook(self, now: datetime) -> Delivery:
        return webhooks.sample(self._config.webhook_secrets[0], now)

    @override
    def settlement_records(self, start: datetime, end: datetime) -> Iterator[SettlementRecord]:
        return self._reports.records(start, end)

    @override
    def payouts(self, start: datetime, end: datetime) -> Iterator[Payout]:
        return self._reports.payouts(start, end)

    @override
    def payout_records(self, psp_reference: str) -> Iterator[SettlementRecord]:
        return self._reports.payout_records(psp_reference)

    @override
    def disputes(self, details: PaymentDetails) -> tuple[Notice, ...]:
        payment_intent = details.psp_data.get(requests.INTENT_KEY, "")
        # A payment without one was never confirmed, so that there is nothing to dispute.
        return self._reports.disputes(payment_intent) if payment_intent else ()

    @override
    def dispute(self, psp_reference: str) -> Notice:
        return self._reports.dispute(psp_reference)
