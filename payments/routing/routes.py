"""Which gateways can take a payment: those of its method that can do all that it asks."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateways.base import Gateway
from money.money import Money
from payments.errors import (
    CaptureUnavailable,
    ChannelUnavailable,
    MethodUnavailable,
    PaymentError,
    TokenNotAccepted,
    TokenRequired,
)
from payments.models import CaptureMethod
from payments.routing.offers import why_not
from payments.routing.registry import gateways_for, methods


@dataclass(frozen=True, slots=True)
class Terms:
    """What a payment asks of its gateway."""

    method: str
    channel: str
    money: Money
    capture: CaptureMethod
    has_token: bool


def routes(terms: Terms) -> Sequence[Gateway]:
    """The gateways that can take it, the preferred one first; never none.

    Raises a PaymentError that says why the preferred one cannot, when none can.
    """
    candidates = gateways_for(terms.method)
    if not candidates:
        raise MethodUnavailable(f"This way of paying is not offered here: {_offered()}.")
    able = [adapter for adapter in candidates if objection(adapter, terms) is None]
    if not able and (reason := objection(candidates[0], terms)) is not None:
        raise reason
    return able


def _offered() -> str:
    return f"choose one of {', '.join(methods())}" if methods() else "none is set up"


def objection(adapter: Gateway, terms: Terms) -> PaymentError | None:
    """Why ``adapter`` cannot take such a payment; None when it can."""
    can, method = adapter.capabilities, terms.method
    if reason := why_not(adapter, method, terms.money, terms.channel):
        return (ChannelUnavailable if terms.channel else MethodUnavailable)(str(reason))
    if terms.capture == CaptureMethod.MANUAL and not adapter.can_hold(method, terms.channel):
        way = f"{method} by {terms.channel}" if terms.channel else method
        return CaptureUnavailable(f"{way} takes the money at once: leave out capture.")
    if terms.has_token and not can.takes_token:
        return TokenNotAccepted(f"{method} takes no payment_token: leave it out.")
    if can.needs_token and not terms.has_token:
        return TokenRequired(f"{method} needs a payment_token from the gateway's own form.")
    return None
