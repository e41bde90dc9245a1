"""Which methods can pay a sum, and why the others cannot: for the API and the pages."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from django.conf import settings
from django.utils.functional import Promise

from money.money import Money
from payments.routing.registry import find_gateways
from payments.routing.support import method_unsupported_reason


@dataclass(frozen=True, slots=True)
class Offer:
    """One method for one sum. ``unsupported_reason`` is "" when it can be used.

    ``channels`` are those of the method that take the sum; ``gateway`` is the preferred one, and
    ``stand_ins`` are the others that can take the sum.
    """

    method: str
    unsupported_reason: str | Promise
    gateway: str
    channels: tuple[str, ...]
    stand_ins: tuple[str, ...] = ()

    def is_out_of_reach(self, unreachable: AbstractSet[str]) -> bool:
        """True when every gateway that could take the sum is in ``unreachable``."""
        return unreachable >= {self.gateway, *self.stand_ins}


def build_offers(money: Money) -> Sequence[Offer]:
    """Every configured method, usable or not, in the order of the settings."""
    return [_build_offer(each, money) for each in settings.METHOD_GATEWAYS if find_gateways(each)]


def _build_offer(method: str, money: Money) -> Offer:
    """The offer of the first gateway that can; else the preferred one's reason against it."""
    adapters = find_gateways(method)
    able = [one for one in adapters if not method_unsupported_reason(one, method, money)]
    adapter = next(iter(able), adapters[0])
    reason = method_unsupported_reason(adapter, method, money)
    return Offer(
        method=method,
        unsupported_reason=reason.text if reason else "",
        gateway=adapter.name,
        channels=tuple(
            channel
            for channel in adapter.capabilities.channels.get(method, ())
            if not method_unsupported_reason(adapter, method, money, channel)
        ),
        stand_ins=tuple(other.name for other in able[1:]),
    )
