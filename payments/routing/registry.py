"""The configured gateways: built once from the settings, found by name or by method."""

import re
from collections.abc import Sequence
from functools import cache
from ipaddress import ip_network
from typing import Any, Final

from django.conf import settings
from django.utils.module_loading import import_string

from gateways.base import Gateway, Network

_CURRENCY: Final = re.compile(r"[A-Z]{3}")


@cache
def gateways() -> dict[str, Gateway]:
    """Every gateway that has its credentials, by name; two accounts of one PSP are two."""
    built = {name: build_gateway(name) for name in settings.GATEWAYS}
    return {name: gateway for name, gateway in built.items() if gateway is not None}


def gateway(name: str) -> Gateway:
    """The gateway called ``name``. Raises KeyError when it is not configured."""
    return gateways()[name]


def find_gateways(method: str) -> list[Gateway]:
    """The configured gateways for ``method``, the preferred one first."""
    named = settings.METHOD_GATEWAYS.get(method, ())
    return [gateways()[name] for name in named if name in gateways()]


def methods() -> list[str]:
    """The methods that a configured gateway serves, in the order of the settings."""
    return [method for method in settings.METHOD_GATEWAYS if find_gateways(method)]


def find_psp(name: str) -> str:
    """The PSP of the gateway ``name``; the name itself where it is no longer configured."""
    found = gateways().get(name)
    return found.psp if found else name


def build_gateway(name: str) -> Gateway | None:
    """A new adapter from the settings; None without credentials. Raises ValueError."""
    entry: dict[str, Any] = settings.GATEWAYS[name]
    if not entry["enabled"]:
        return None
    adapter: type[Gateway] = import_string(entry["adapter"])
    built = adapter.from_settings(entry["options"])
    built.name = name
    built.currencies = _parse_currencies(entry["options"].get("currencies", "")) or built.currencies
    built.webhook_senders = _parse_networks(entry["options"].get("webhook_senders", ""))
    return built


def _parse_currencies(text: str) -> frozenset[str] | None:
    """``USD,EUR`` as a set; None where nothing is named. Raises ValueError."""
    named = frozenset(_split_list(text))
    if not all(map(_CURRENCY.fullmatch, named)):
        raise ValueError(f"currencies must be ISO codes such as VND,USD; not {text}")
    return named or None


def _parse_networks(text: str) -> tuple[Network, ...]:
    """``10.0.0.0/8,192.0.2.1`` as networks. Raises ValueError."""
    return tuple(ip_network(word) for word in _split_list(text))


def _split_list(text: str) -> Sequence[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
