"""VNPAY 2.1.0 as a Gateway.

Creating a payment is no call: the shopper's browser opens a signed link. The truth comes by IPN,
or by querydr, at most once in five minutes for one reference. A link cannot be closed.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, cast

from typing_extensions import override

from gateways.capabilities import Capabilities, SettlementSource
from gateways.http import HttpAnswer
from gateways.http_gateway import HttpGateway
from gateways.operation import Operation, Verb
from gateways.outcome import NextAction, Outcome, OutcomeKind
from gateways.settlement import SettlementRecord
from gateways.vnpay import amounts, mapping, requests, responses, settlement, signing, webhooks
from gateways.vnpay.config import Config
from gateways.webhook import Delivery, Notice

_SIGNED_FIELDS: Final[dict[Verb, tuple[str, ...]]] = {
    Verb.QUERY: signing.QUERY_FIELDS,
    Verb.QUERY_REFUND: signing.QUERY_FIELDS,
    Verb.REFUND: signing.REFUND_FIELDS,
}


class VnpayGateway(HttpGateway[Config]):
    """One terminal (TmnCode) at VNPAY."""

    name = "vnpay"
    config_class = Config
    request_builders = requests.BUILDERS
    unsupported_verbs = requests.UNSUPPORTED_VERBS
    webhook_answers = webhooks.ANSWERS
    capabilities = Capabilities(
        # The page's own range, as many shops report it; the published table names none.
        limits={amounts.CURRENCY: (5_000, 999_999_999)},
        methods=frozenset({"vnpay", "card"}),
        channels={"vnpay": tuple(mapping.BANK_CODES)},
        channel_codes={"vnpay": mapping.BANK_CODE},
        refund=True,
        partial_refund=True,
        settlement=SettlementSource.FILE,
    )
    query_schedule = (
        timedelta(minutes=5),
        timedelta(minutes=5),
        timedelta(minutes=10),
        timedelta(minutes=30),
        timedelta(hours=1),
    )
    # A querydr that comes sooner for the same reference is answered 94.
    query_interval_min = timedelta(minutes=5)
    local_verbs = frozenset({Verb.CREATE})
    webhook_method = "GET"
    secondary_reference_keys = ("bank_transaction_no",)
    # The same frozen parameters are the same link, whenever it is signed.
    key_lifetime = None
    # A bank may still finish what the shopper began in the link's last minute.
    expiry_margin = timedelta(minutes=15)

    @override
    def answer_locally(self, operation: Operation) -> Outcome:
        """The link of a CREATE: signed here, opened by the shopper's browser."""
        params = cast("dict[str, str]", operation.request)
        url = signing.signed_url(self._config.pay_url, params, self._config.hash_secrets[0])
        return Outcome(
            OutcomeKind.ACTION_REQUIRED,
            reference=params["vnp_TxnRef"],
            next_action=NextAction(url),
        )

    @override
    def send_request(self, operation: Operation) -> HttpAnswer:
        params = cast("dict[str, str]", operation.request)
        text = signing.joined(_SIGNED_FIELDS[operation.verb], params)
        signature = signing.sign(text, self._config.hash_secrets[0])
        return self._http.post_json(self._config.api_url, {**params, "vnp_SecureHash": signature})

    @override
    def read_answer(self, operation: Operation, answer: HttpAnswer) -> Outcome:
        return responses.read_answer(operation, answer, self._config.hash_secrets)

    @override
    def read_webhook(self, delivery: Delivery) -> tuple[Notice, ...]:
        return (webhooks.read(delivery.query_string, self._config.hash_secrets),)

    @override
    def sample_webhook(self, now: datetime) -> Delivery:
        return webhooks.sample(self._config.hash_secrets[0], now)

    @override
    def read_settlement_file(self, content: bytes) -> Iterator[SettlementRecord]:
        return settlement.read(content, self._config.tmn_code)
