"""Which methods can pay what, and why not otherwise: for the API and for the pages."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders.money import Money
from payments.gateways.registry import gateway_for


@dataclass(frozen=True, slots=True)
class Offer:
    """One method for one sum. ``why_not`` is empty when it can be used."""

    method: str
    why_not: str | Promise


def offers(money: Money) -> Sequence[Offer]:
    """Every configured method, usable or not, in the order of the settings."""
    return [
        Offer(method, why_not(method, money))
        for method in settings.METHOD_GATEWAYS
        if gateway_for(method)
    ]


def why_not(method: str, money: Money) -> str | Promise:
    """Why ``method`` cannot pay ``money``; "" when it can."""
    adapter = gateway_for(method)
    if adapter is None or method not in adapter.capabilities.methods:
        return _("This way of paying is not offered here.")
    limits = adapter.capabilities.limits.get(money.currency)
    if limits is None:
        return _("Not available in this currency.")
    smallest, largest = limits
    if money.minor < smallest:
        return _("The amount is too small for this way of paying.")
    if money.minor > largest:
        return _("The amount is too large for this way of paying.")
    return ""
