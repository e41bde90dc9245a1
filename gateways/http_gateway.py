"""What adapters to an HTTP API share: a new adapter starts from ``HttpGateway``.

A subclass names its ``config_class`` and its ``request_builders``, and implements
``send_request`` and ``read_answer``, ``read_webhook`` and, where our side performs a verb without
the network, ``answer_locally``. Everything around them is here: options, HTTP client, timeouts,
dispatch by verb, transport errors, the stored exchange, answers to webhooks.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar, cast

from typing_extensions import override

from gateways.base import Gateway
from gateways.exchange import read_transport_error, record_exchange
from gateways.http import HttpAnswer, HttpClient, TransportError
from gateways.operation import Json, Operation, UnsupportedOperation, Verb
from gateways.options import read_timeout
from gateways.outcome import Exchange, Outcome
from gateways.webhook import Answer, WebhookResult, make_answers


class GatewayConfig(Protocol):
    """What every adapter's ``Config`` has: a frozen dataclass of credentials and addresses."""

    @property
    def account(self) -> str:
        """Our merchant account at the PSP."""

    @property
    def live(self) -> bool:
        """Whether real money moves with these credentials."""

    @classmethod
    def from_settings(cls, options: Mapping[str, str]) -> Self:
        """Read a flat dict of texts. Raises ValueError naming what is wrong."""


ConfigT = TypeVar("ConfigT", bound=GatewayConfig)
# Builds the request of one verb from the operation and the adapter's ``Config``.
RequestBuilder = Callable[[Operation, Any], Json]


class HttpGateway(Gateway, Generic[ConfigT]):
    """A gateway that is reached by HTTP requests with JSON answers."""

    config_class: ClassVar[type[GatewayConfig]]
    request_builders: ClassVar[Mapping[Verb, RequestBuilder]]
    # Why the verbs without a builder are unsupported, for people.
    unsupported_verbs: ClassVar[Mapping[Verb, str]] = {}
    # The members of an answer that hold personal data; they are redacted before it is stored.
    personal_members: ClassVar[frozenset[str]] = frozenset()
    webhook_answers: ClassVar[Mapping[WebhookResult, Answer]] = make_answers()
    # The share of ``read_timeout_s`` that one exchange may take, where an operation makes several.
    exchange_timeout_share: ClassVar[float] = 1.0

    def __init__(self, config: ConfigT, *, read_timeout_s: float | None = None) -> None:
        super().__init__(account=config.account, live=config.live, read_timeout_s=read_timeout_s)
        self._config = config
        self._http = self._open_client(self.exchange_timeout_share)

    @classmethod
    @override
    def from_settings(cls, options: Mapping[str, str]) -> Self:
        timeout_s = read_timeout(options, cls.read_timeout_s)
        config = cast("ConfigT", cls.config_class.from_settings(options))
        return cls(config, read_timeout_s=timeout_s)

    @override
    def freeze(self, operation: Operation) -> Json:
        build = self.request_builders.get(operation.verb)
        if build is None:
            reason = self.unsupported_verbs.get(operation.verb)
            raise UnsupportedOperation(reason or f"{self.name} has no {operation.verb}")
        return build(operation, self._config)

    @override
    def perform(self, operation: Operation) -> Outcome:
        if not self.needs_network(operation):
            return self.answer_locally(operation)
        request = self.describe_request(operation)
        try:
            answer = self.send_request(operation)
        except TransportError as error:
            return read_transport_error(error, request)
        outcome = self.read_answer(operation, answer)
        return replace(outcome, exchange=self.record_exchange(request, answer))

    @abstractmethod
    def send_request(self, operation: Operation) -> HttpAnswer:
        """Send ``operation.request`` with credentials added. Raises ``TransportError``."""

    @abstractmethod
    def read_answer(self, operation: Operation, answer: HttpAnswer) -> Outcome:
        """What ``answer`` means, without the exchange. Never raises: doubt is UNKNOWN."""

    def answer_locally(self, operation: Operation) -> Outcome:
        """The outcome of an operation that ``needs_network`` says needs none."""
        raise UnsupportedOperation(f"{self.name} performs no {operation.verb} by itself")

    def describe_request(self, operation: Operation) -> Mapping[str, object]:
        """The request as it is stored in the exchange; secrets in it are redacted."""
        return operation.request

    def record_exchange(self, request: Mapping[str, object], answer: HttpAnswer) -> Exchange:
        """The exchange as it is stored with the operation."""
        return record_exchange(request, answer, self.personal_members)

    @override
    def answer_webhook(self, result: WebhookResult) -> Answer:
        return self.webhook_answers[result]

    def _open_client(self, timeout_share: float = 1.0) -> HttpClient:
        """A client whose requests may take ``timeout_share`` of ``read_timeout_s``."""
        return HttpClient(
            connect_timeout_s=self.connect_timeout_s,
            read_timeout_s=timeout_share * self.read_timeout_s,
        )
