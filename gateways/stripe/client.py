"""The official SDK over our own HTTP client.

The SDK knows paths, parameters and headers; our client knows sent from not sent, bounds every
answer and follows no redirect. Answers are read as plain JSON, the same shape that webhooks
bring, so that one reader serves both.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

import stripe

from gateways.http import HttpAnswer, HttpClient, NotSent
from gateways.operation import Json
from gateways.stripe.config import Config

# Pinned on purpose: an SDK upgrade must not change the wire by accident. Webhook endpoints are
# created with the same version.
API_VERSION: Final = "2026-10-28.endive"

_Call = Callable[[stripe.StripeClient, str, Any, stripe.RequestOptions], object]

# Every call that we make: the id goes into the path, the rest into the body or the query.
CALLS: Final[dict[str, _Call]] = {
    "accounts.retrieve_current": lambda sdk, _, params, options: sdk.v1.accounts.retrieve_current(
        params, options
    ),
    "payment_intents.create": lambda sdk, _, params, options: sdk.v1.payment_intents.create(
        params, options
    ),
    "payment_intents.retrieve": lambda sdk, key, params, options: sdk.v1.payment_intents.retrieve(
        key, params, options
    ),
    "payment_intents.search": lambda sdk, _, params, options: sdk.v1.payment_intents.search(
        params, options
    ),
    "payment_intents.capture": lambda sdk, key, params, options: sdk.v1.payment_intents.capture(
        key, params, options
    ),
    "payment_intents.cancel": lambda sdk, key, params, options: sdk.v1.payment_intents.cancel(
        key, params, options
    ),
    "checkout.sessions.create": lambda sdk, _, params, options: sdk.v1.checkout.sessions.create(
        params, options
    ),
    "checkout.sessions.retrieve": lambda sdk, key, params, options: (
        sdk.v1.checkout.sessions.retrieve(key, params, options)
    ),
    "checkout.sessions.expire": lambda sdk, key, params, options: sdk.v1.checkout.sessions.expire(
        key, params, options
    ),
    "refunds.create": lambda sdk, _, params, options: sdk.v1.refunds.create(params, options),
    "refunds.retrieve": lambda sdk, key, params, options: sdk.v1.refunds.retrieve(
        key, params, options
    ),
    "refunds.list": lambda sdk, _, params, options: sdk.v1.refunds.list(params, options),
    "disputes.retrieve": lambda sdk, key, params, options: sdk.v1.disputes.retrieve(
        key, params, options
    ),
    "disputes.list": lambda sdk, _, params, options: sdk.v1.disputes.list(params, options),
    "balance_transactions.list": lambda sdk, _, params, options: sdk.v1.balance_transactions.list(
        params, options
    ),
    "payouts.retrieve": lambda sdk, key, params, options: sdk.v1.payouts.retrieve(
        key, params, options
    ),
    "payouts.list": lambda sdk, _, params, options: sdk.v1.payouts.list(params, options),
}
# These move nothing and take no idempotency key.
READS: Final = frozenset(
    {
        "accounts.retrieve_current",
        "payment_intents.retrieve",
        "payment_intents.search",
        "checkout.sessions.retrieve",
        "refunds.retrieve",
        "refunds.list",
        "disputes.retrieve",
        "disputes.list",
        "balance_transactions.list",
        "payouts.retrieve",
        "payouts.list",
    }
)


class Client:
    """One account. Safe to share by threads."""

    def __init__(self, config: Config, http: HttpClient) -> None:
        self._transport = _Transport(http)
        self._sdk = stripe.StripeClient(
            config.secret_key,
            stripe_version=API_VERSION,
            base_addresses={"api": config.api_base},
            # Our rows retry; a retry inside the SDK would outlast the lease.
            max_network_retries=0,
            http_client=self._transport,
        )

    def call(self, name: str, key: str, params: Json, idempotency_key: str) -> HttpAnswer:
        """Make one call and give its answer, errors included. Raises NotSent, NoAnswer."""
        options: stripe.RequestOptions = {}
        if name not in READS:
            options["idempotency_key"] = idempotency_key
        try:
            CALLS[name](self._sdk, key, params, options)
        except stripe.StripeError:
            # The answer itself says more than the exception that the SDK makes from it.
            pass
        except Exception:
            # The SDK trips over JSON that is not Stripe's; what came is ours to judge all the same.
            if not self._transport.has_answer():
                raise
        return self._transport.take_answer()


class _Transport(stripe.HTTPClient):
    """What the SDK calls instead of ``requests``."""

    name = "payments"

    def __init__(self, http: HttpClient) -> None:
        super().__init__()
        self._http = http
        self._answers = threading.local()

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """One request; the answer is kept for ``take_answer`` of the same thread."""
        body = post_data.encode() if isinstance(post_data, str) else None
        self._answers.last = None
        answer = self._http.send(method.upper(), url, headers=headers or {}, body=body)
        self._answers.last = answer
        return answer.body.decode(errors="replace"), answer.status, answer.headers

    def has_answer(self) -> bool:
        """Whether this thread's last request was answered."""
        return getattr(self._answers, "last", None) is not None

    def take_answer(self) -> HttpAnswer:
        """The answer to this thread's last request. Raises NotSent if the SDK made none."""
        answer: HttpAnswer | None = getattr(self._answers, "last", None)
        self._answers.last = None
        if answer is None:
            raise NotSent("the SDK refused to send it")
        return answer

    def close(self) -> None:
        """Close the idle connections."""
        self._http.close()
