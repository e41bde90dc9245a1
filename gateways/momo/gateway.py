"""MoMo as a ``Gateway``."""

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, cast

from typing_extensions import override

from gateways.capabilities import Capabilities, SettlementSource
from gateways.foreign_json import encode_canonical
from gateways.http import HttpAnswer
from gateways.http_gateway import HttpGateway
from gateways.momo import amounts, channels, requests, responses, settlement, webhooks
from gateways.momo.config import Config
from gateways.momo.signing import is_genuine_link, sign
from gateways.operation import Json, Operation, PaymentDetails, Verb
from gateways.outcome import Outcome
from gateways.psp_urls import PspUrls
from gateways.settlement import SettlementRecord
from gateways.webhook import Delivery, Notice

logger = logging.getLogger(__name__)

_HEADERS: Final = {"Content-Type": "application/json; charset=UTF-8", "Accept": "application/json"}


class MomoGateway(HttpGateway[Config]):
    """MoMo AIO v2: everything is a signed JSON POST, queries too."""

    name = "momo"
    config_class = Config
    request_builders = requests.BUILDERS
    unsupported_verbs = requests.UNSUPPORTED_VERBS
    webhook_answers = webhooks.ANSWERS
    capabilities = Capabilities(
        limits={amounts.CURRENCY: channels.BY_REQUEST_TYPE[channels.HOSTED_CHOICE].limits},
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
        super().__init__(config, read_timeout_s=read_timeout_s)
        self._psp_urls = PspUrls(config.api_base, domain="momo.vn", app_scheme="momo")

    @override
    def limits(self, method: str, channel: str) -> Mapping[str, tuple[int, int]]:
        return {amounts.CURRENCY: self._channel(method, channel).limits}

    @override
    def can_hold(self, method: str, channel: str) -> bool:
        return self._channel(method, channel).can_hold

    @override
    def refund_limits(self, details: PaymentDetails) -> tuple[int, int]:
        return channels.refund_limits(details, self._config.request_type)

    def _channel(self, method: str, channel: str) -> channels.Channel:
        return channels.find_channel(method, channel, self._config.request_type)

    @override
    def describe_request(self, operation: Operation) -> Mapping[str, object]:
        return {"url": self._url(operation), **cast("Json", operation.request["body"])}

    @override
    def send_request(self, operation: Operation) -> HttpAnswer:
        body = cast("Json", operation.request["body"])
        signature = sign(requests.SIGNED_FIELDS[operation.verb], body, self._config.keys[0])
        content = encode_canonical({**body, "signature": signature})
        return self._http.send("POST", self._url(operation), headers=_HEADERS, body=content)

    @override
    def read_answer(self, operation: Operation, answer: HttpAnswer) -> Outcome:
        if operation.verb is Verb.CREATE:
            self._check_signature(operation, answer)
        return responses.read_answer(operation, answer, self._psp_urls)

    def _url(self, operation: Operation) -> str:
        return f"{self._config.api_base}{operation.request['path']}"

    def _check_signature(self, operation: Operation, answer: HttpAnswer) -> None:
        """Log a signature that fits neither text of the manual; it is not required.

        TLS, the repeated fields and the page's host are what we trust: MoMo documents its
        signature of this answer in two ways that contradict each other.
        """
        content = answer.json() or {}
        if content.get("signature") and not is_genuine_link(content, self._config.keys):
            payment = {"reference": operation.details.reference}
            logger.warning("momo_link_signed_in_no_known_way", extra=payment)

    @override
    def read_webhook(self, delivery: Delivery) -> tuple[Notice, ...]:
        return webhooks.read(delivery, self._config)

    @override
    def sample_webhook(self, now: datetime) -> Delivery:
        return webhooks.sample(self._config, now)

    @override
    def read_settlement_file(self, content: bytes) -> Iterator[SettlementRecord]:
        return settlement.read(content, self._config.partner_code)
