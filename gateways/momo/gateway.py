"""MoMo as a ``Gateway``."""

import json
import logging
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, Self, cast

from typing_extensions import override

from gateways.base import Gateway
from gateways.capabilities import Capabilities, SettlementSource
from gateways.exchange import read_transport_error, record_exchange
from gateways.http import HttpAnswer, HttpClient, TransportError
from gateways.momo import answers, channels, requests, settlement, webhooks
from gateways.momo.config import Config
from gateways.momo.signing import is_genuine_link, sign
from gateways.operation import Json, Operation, PaymentDetails, Verb
from gateways.options import read_timeout
from gateways.outcome import Outcome
from gateways.settlement import SettlementRecord
from gateways.webhook import Answer, Delivery, Notice, WebhookResult

logger = logging.getLogger(__name__)


class MomoGateway(Gateway):
    """MoMo AIO v2: everything is a signed JSON POST, queries too."""

    name = "momo"
    capabilities = Capabilities(
        limits={requests.CURRENCY: channels.BY_REQUEST_TYPE[channels.HOSTED_CHOICE].limits},
        methods=frozenset({"momo", "card"}),
        channels={"momo": tuple(channels.REQUEST_TYPES)},
        manual_capture=True,
        void=True,
        refund=True,
        partial_refund=True,
        qr=True,
        settlement=SettlementSource.FILE,
    )
    # MoMo remembers a requestId for at least 31 days.
    key_lifetime = timedelta(days=30)
    # MoMo asks its clients to wait for 30 s or more.
    read_timeout_s = 30.0

    def __init__(self, config: Config, *, read_timeout_s: float | None = None) -> None:
        super().__init__(
            account=config.partner_code, live=config.live, read_timeout_s=read_timeout_s
        )
        self._config = config
        self._http = HttpClient(
            connect_timeout_s=self.connect_timeout_s, read_timeout_s=self.read_timeout_s
        )

    @classmethod
    @override
    def from_settings(cls, options: Mapping[str, str]) -> Self:
        timeout = read_timeout(options, cls.read_timeout_s)
        return cls(Config.from_settings(options), read_timeout_s=timeout)

    @override
    def limits(self, method: str, channel: str) -> Mapping[str, tuple[int, int]]:
        return {requests.CURRENCY: self._channel(method, channel).limits}

    @override
    def can_hold(self, method: str, channel: str) -> bool:
        return self._channel(method, channel).can_hold

    @override
    def refund_limits(self, details: PaymentDetails) -> tuple[int, int]:
        return channels.refund_limits(details, self._config.request_type)

    def _channel(self, method: str, channel: str) -> channels.Channel:
        return channels.channel_of(method, channel, self._config.request_type)

    @override
    def freeze(self, operation: Operation) -> Json:
        return requests.freeze(operation, self._config)

    @override
    def perform(self, operation: Operation) -> Outcome:
        url = f"{self._config.api_base}{operation.request['path']}"
        body = cast("Json", operation.request["body"])
        shown = {"url": url, **body}
        fields = requests.SIGNED_FIELDS[operation.verb]
        signed = {**body, "signature": sign(fields, body, self._config.keys[0])}
        try:
            answer = self._http.send("POST", url, headers=_HEADERS, body=_bytes(signed))
        except TransportError as error:
            return read_transport_error(error, shown)
        if operation.verb is Verb.CREATE:
            self._look_at_signature(operation, answer)
        exchange = record_exchange(shown, answer)
        return answers.read_answer(operation, answer, exchange, self._config.api_base)

    def _look_at_signature(self, operation: Operation, answer: HttpAnswer) -> None:
        """Note a signature that fits no text of the manual.

        TLS, the echo and the page's host are what we trust: nobody knows what MoMo really signs.
        """
        content = answer.json() or {}
        if content.get("signature") and not is_genuine_link(content, self._config.keys):
            payment = {"reference": operation.details.reference}
            logger.warning("momo_link_signed_in_no_known_way", extra=payment)

    @override
    def read_webhook(self, delivery: Delivery) -> tuple[Notice, ...]:
        return webhooks.read(delivery, self._config)

    @override
    def answer_webhook(self, result: WebhookResult) -> Answer:
        return webhooks.answer(result)

    @override
    def sample_webhook(self, now: datetime) -> Delivery:
        return webhooks.sample(self._config, now)

    @override
    def read_settlement_file(self, content: bytes) -> Iterator[SettlementRecord]:
        return settlement.read(content, self._config.partner_code)


_HEADERS: Final = {"Content-Type": "application/json; charset=UTF-8", "Accept": "application/json"}


def _bytes(body: Json) -> bytes:
    # Sorted, because a request that comes back from a JSONB column has lost its order.
    return json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
