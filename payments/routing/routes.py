"""Which gateways can take a payment: those of its method that support all of the request."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gateways.base import Gateway
from gateways.operation import PaymentDetails
from orders.models import Order
from payments.errors import MethodUnavailable
from payments.models import Transaction
from payments.routing.payment_details import build_payment_details
from payments.routing.registry import find_gateways, methods
from payments.routing.support import (
    Unsupported,
    request_unsupported_reason,
    terms_unsupported_reason,
)


@dataclass(frozen=True, slots=True)
class Route:
    """A gateway, and the payment as that gateway would see it if its link were made ``now``."""

    adapter: Gateway
    details: PaymentDetails
    now: datetime

    def terms_unsupported_reason(self) -> Unsupported | None:
        """Why the gateway cannot take the payment's terms; None when it can."""
        return terms_unsupported_reason(self.adapter, self.details)

    def request_unsupported_reason(self) -> Unsupported | None:
        """Why the adapter cannot build the request; None when it can."""
        return request_unsupported_reason(self.adapter, self.details, self.now)

    def is_supported(self) -> bool:
        """True when the gateway can take the payment as it is."""
        return not (self.terms_unsupported_reason() or self.request_unsupported_reason())


@dataclass(frozen=True, slots=True)
class Candidates:
    """Gateways for a new payment, the preferred one first; neither is ever empty.

    ``fitting`` take its terms; ``able`` are those of them whose adapter can build the request.
    """

    fitting: Sequence[Gateway]
    able: Sequence[Gateway]

    def preferred_to(self, chosen: Gateway) -> Sequence[Gateway]:
        """The fitting ones before ``chosen``."""
        return self.fitting[: self.fitting.index(chosen)]


def find_candidates(payment: Transaction, order: Order) -> Candidates:
    """The gateways that can take a new ``payment``.

    Raises a PaymentError that says why the preferred one cannot, when none can.
    """
    adapters = find_gateways(payment.method)
    if not adapters:
        raise MethodUnavailable(f"This way of paying is not offered here: {_name_methods()}.")
    routes = [build_route(adapter, payment, order, payment.created_at) for adapter in adapters]
    fitting = _keep_supported(routes, Route.terms_unsupported_reason)
    # A token comes from the form of the preferred one, and is valid at no other.
    candidates = fitting[:1] if payment.payment_token else fitting
    able = _keep_supported(candidates, Route.request_unsupported_reason)
    return Candidates([each.adapter for each in fitting], [each.adapter for each in able])


def build_route(adapter: Gateway, payment: Transaction, order: Order, now: datetime) -> Route:
    """``payment`` at ``adapter``, with a link made ``now``."""
    details = build_payment_details(payment, order, adapter)
    return Route(adapter, replace(details, expires_at=now + adapter.link_lifetime), now)


def _keep_supported(
    routes: Sequence[Route], find_reason: Callable[[Route], Unsupported | None]
) -> Sequence[Route]:
    """Those without a reason against them; raises the first reason when there are none."""
    reasons = [find_reason(route) for route in routes]
    kept = [route for route, reason in zip(routes, reasons, strict=True) if reason is None]
    if not kept and reasons[0] is not None:
        raise reasons[0].build_error()
    return kept


def _name_methods() -> str:
    return f"choose one of {', '.join(methods())}" if methods() else "none is set up"
