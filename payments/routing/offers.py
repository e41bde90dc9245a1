"""Which methods can pay what, and why not otherwise: for the API and for the pages."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from gateways.base import Gateway
from gateways.capabilities import Capabilities
from money.formatting import format_money
from money.money import Money
from payments.routing.registry import gateways_for

# Of more than these, a list of all that a gateway takes helps nobody.
CURRENCIES_NAMED_MAX: Final = 3


@dataclass(frozen=True, slots=True)
class Offer:
    """One method for one sum. ``why_not`` is empty when it can be used.

    ``channels`` are the doors of it that take the sum; ``gateway`` is who opens them, and
    ``stand_ins`` are who else can take the sum.
    """

    method: str
    why_not: str | Promise
    gateway: str
    channels: tuple[str, ...]
    stand_ins: tuple[str, ...] = ()

    def is_out_of_reach(self, unreachable: AbstractSet[str]) -> bool:
        """Whether ``unreachable`` are all the gateways that could take it."""
        return unreachable >= {self.gateway, *self.stand_ins}


def offers(money: Money) -> Sequence[Offer]:
    """Every configured method, usable or not, in the order of the settings."""
    return [_offer(method, money) for method in settings.METHOD_GATEWAYS if gateways_for(method)]


def _offer(method: str, money: Money) -> Offer:
    """By the first gateway that can; where none can, by the preferred one, which says why."""
    adapters = gateways_for(method)
    able = [adapter for adapter in adapters if not why_not(adapter, method, money)]
    adapter = next(iter(able), adapters[0])
    channels = adapter.capabilities.channels.get(method, ())
    usable = tuple(one for one in channels if not why_not(adapter, method, money, one))
    stand_ins = tuple(other.name for other in able[1:])
    return Offer(method, why_not(adapter, method, money), adapter.name, usable, stand_ins)


def why_not(adapter: Gateway, method: str, money: Money, channel: str = "") -> str | Promise:
    """Why ``adapter`` cannot take ``money`` by that door of ``method``; "" when it can."""
    if method not in adapter.capabilities.methods:
        return _("This way of paying is not offered here.")
    if not adapter.has_channel(method, channel):
        return _channels_of(method, adapter.capabilities)
    limits = adapter.limits(method, channel).get(money.currency)
    if limits is None or money.currency not in (adapter.currencies or {money.currency}):
        return _why_not_in_this(adapter)
    return _why_not_so_much(money, limits) or _why_not_so_fine(money, adapter.capabilities)


def _why_not_in_this(adapter: Gateway) -> str | Promise:
    taken = adapter.currencies or adapter.capabilities.limits
    if len(taken) > CURRENCIES_NAMED_MAX:
        return _("Not available in this currency.")
    return _("Takes only %(currencies)s.") % {"currencies": ", ".join(sorted(taken))}


def _why_not_so_much(money: Money, limits: tuple[int, int]) -> str | Promise:
    smallest, largest = limits
    if money.minor < smallest:
        least = format_money(Money(smallest, money.currency))
        return _("The smallest amount for this way of paying is %(sum)s.") % {"sum": least}
    if money.minor > largest:
        most = format_money(Money(largest, money.currency))
        return _("The largest amount for this way of paying is %(sum)s.") % {"sum": most}
    return ""


def _why_not_so_fine(money: Money, can: Capabilities) -> str | Promise:
    if can.can_divide(money.minor, money.currency):
        return ""
    return _("This way of paying takes no such small change of the currency.")


def _channels_of(method: str, can: Capabilities) -> str | Promise:
    """What ``method`` has, for who chose a channel that it has not."""
    named = {"method": method, "channels": ", ".join(can.channels.get(method, ()))}
    if not named["channels"]:
        return _("%(method)s has no channels: leave out channel.") % named
    if method in can.channel_codes:
        return _("%(method)s has the channels %(channels)s, and the gateway's own codes.") % named
    return _("%(method)s has the channels %(channels)s.") % named
