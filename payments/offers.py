"""Which methods can pay what, and why not otherwise: for the API and for the pages."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders.money import Money
from payments.gateways.base import Capabilities, Gateway
from payments.gateways.registry import gateway_for


@dataclass(frozen=True, slots=True)
class Offer:
    """One method for one sum. ``why_not`` is empty when it can be used.

    ``channels`` are the doors of it that take the sum; ``gateway`` is who opens them.
    """

    method: str
    why_not: str | Promise
    gateway: str
    channels: tuple[str, ...]


def offers(money: Money) -> Sequence[Offer]:
    """Every configured method, usable or not, in the order of the settings."""
    return [
        _offer(method, money, adapter)
        for method in settings.METHOD_GATEWAYS
        if (adapter := gateway_for(method))
    ]


def _offer(method: str, money: Money, adapter: Gateway) -> Offer:
    channels = adapter.capabilities.channels.get(method, ())
    usable = tuple(channel for channel in channels if not why_not(method, money, channel))
    return Offer(method, why_not(method, money), adapter.name, usable)


def why_not(method: str, money: Money, channel: str = "") -> str | Promise:
    """Why ``method``, by that door of it, cannot pay ``money``; "" when it can."""
    adapter = gateway_for(method)
    if adapter is None or method not in adapter.capabilities.methods:
        return _("This way of paying is not offered here.")
    if not adapter.has_channel(method, channel):
        return _channels_of(method, adapter.capabilities)
    limits = adapter.limits(method, channel).get(money.currency)
    if limits is None:
        return _("Not available in this currency.")
    smallest, largest = limits
    if money.minor < smallest:
        return _("The amount is too small for this way of paying.")
    if money.minor > largest:
        return _("The amount is too large for this way of paying.")
    return ""


def _channels_of(method: str, can: Capabilities) -> str | Promise:
    """What ``method`` has, for who chose a channel that it has not."""
    named = {"method": method, "channels": ", ".join(can.channels.get(method, ()))}
    if not named["channels"]:
        return _("%(method)s has no channels: leave out channel.") % named
    if method in can.channel_codes:
        return _("%(method)s has the channels %(channels)s, and the gateway's own codes.") % named
    return _("%(method)s has the channels %(channels)s.") % named
