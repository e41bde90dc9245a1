"""What a gateway supports: why it cannot take a method, a sum, or a payment as a whole.

One protocol for the pay page, the API and failover: ``None`` where it is supported, else an
``Unsupported`` that says why.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from gateways.base import Gateway
from gateways.capabilities import Capabilities
from gateways.operation import CaptureMethod, Operation, PaymentDetails, Verb
from money.formatting import format_money
from money.money import Money
from payments.errors import (
    CaptureUnavailable,
    ChannelUnavailable,
    MethodUnavailable,
    PaymentError,
    TokenNotAccepted,
    TokenRequired,
)

# A longer list of currencies is left out of the sentence.
CURRENCIES_NAMED_MAX: Final = 3


@dataclass(frozen=True, slots=True)
class Unsupported:
    """Why a gateway cannot do it: ``text`` for a person, ``error`` for a caller of the API."""

    text: str | Promise
    error: type[PaymentError] = MethodUnavailable

    def build_error(self) -> PaymentError:
        """The error for the caller to raise."""
        return self.error(str(self.text))


def method_unsupported_reason(
    adapter: Gateway, method: str, money: Money, channel: str = ""
) -> Unsupported | None:
    """Why ``adapter`` cannot take ``money`` by ``method`` and ``channel``; "" is any channel."""
    error = ChannelUnavailable if channel else MethodUnavailable
    if method not in adapter.capabilities.methods:
        return Unsupported(_("This way of paying is not offered here."), error)
    if not adapter.has_channel(method, channel):
        return Unsupported(_name_channels(method, adapter.capabilities), error)
    limits = adapter.limits(method, channel).get(money.currency)
    if limits is None or money.currency not in (adapter.currencies or {money.currency}):
        return Unsupported(_name_currencies(adapter), error)
    text = _check_amount(money, limits) or _check_step(money, adapter.capabilities)
    return Unsupported(text, error) if text else None


def terms_unsupported_reason(adapter: Gateway, details: PaymentDetails) -> Unsupported | None:
    """Why ``adapter`` cannot take the terms of ``details``: sum, channel, hold, token."""
    method, channel, can = details.method, details.channel, adapter.capabilities
    if reason := method_unsupported_reason(adapter, method, details.money, channel):
        return reason
    if details.capture is CaptureMethod.MANUAL and not adapter.can_hold(method, channel):
        named = f"{method} by {channel}" if channel else method
        text = f"{named} takes the money at once: leave out capture."
        return Unsupported(text, CaptureUnavailable)
    if details.has_token and not can.takes_token:
        text = f"{method} takes no payment_token: leave it out."
        return Unsupported(text, TokenNotAccepted)
    if can.needs_token and not details.has_token:
        text = f"{method} needs a payment_token from the gateway's own form."
        return Unsupported(text, TokenRequired)
    return None


def request_unsupported_reason(
    adapter: Gateway, details: PaymentDetails, now: datetime
) -> Unsupported | None:
    """Why ``adapter`` cannot build the request that creates ``details``, sent ``now``.

    Checked before the payment is stored, so that no worker finds it later.
    """
    creation = Operation(verb=Verb.CREATE, reference=details.reference, details=details, now=now)
    if text := adapter.unsupported_reason(creation):
        return Unsupported(f"{details.method} cannot take this payment: {text}.")
    return None


def _name_currencies(adapter: Gateway) -> str | Promise:
    taken = adapter.currencies or adapter.capabilities.limits
    if len(taken) > CURRENCIES_NAMED_MAX:
        return _("Not available in this currency.")
    return _("Takes only %(currencies)s.") % {"currencies": ", ".join(sorted(taken))}


def _check_amount(money: Money, limits: tuple[int, int]) -> str | Promise:
    smallest, largest = limits
    if money.minor < smallest:
        least = format_money(Money(smallest, money.currency))
        return _("The smallest amount for this way of paying is %(sum)s.") % {"sum": least}
    if money.minor > largest:
        most = format_money(Money(largest, money.currency))
        return _("The largest amount for this way of paying is %(sum)s.") % {"sum": most}
    return ""


def _check_step(money: Money, can: Capabilities) -> str | Promise:
    if can.can_divide(money.minor, money.currency):
        return ""
    return _("This way of paying takes no such small change of the currency.")


def _name_channels(method: str, can: Capabilities) -> str | Promise:
    """The channels of ``method``, for a caller that named another one."""
    named = {"method": method, "channels": ", ".join(can.channels.get(method, ()))}
    if not named["channels"]:
        return _("%(method)s has no channels: leave out channel.") % named
    if method in can.channel_codes:
        return _("%(method)s has the channels %(channels)s, and the gateway's own codes.") % named
    return _("%(method)s has the channels %(channels)s.") % named
