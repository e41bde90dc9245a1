"""Which gateways there are: built once from the settings, asked for by name or by method."""

from functools import cache
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from payments.gateways.base import Gateway


@cache
def gateways() -> dict[str, Gateway]:
    """Every gateway that has its credentials, by name."""
    built = {name: build(name) for name in settings.GATEWAYS}
    return {name: gateway for name, gateway in built.items() if gateway is not None}


def gateway(name: str) -> Gateway:
    """The gateway called ``name``. Raises KeyError when it is not configured."""
    return gateways()[name]


def gateway_for(method: str) -> Gateway | None:
    """The gateway that the settings name for ``method``; None where there is none."""
    return gateways().get(settings.METHOD_GATEWAYS.get(method, ""))


def methods() -> list[str]:
    """The methods that a configured gateway serves, in the order of the settings."""
    return [method for method in settings.METHOD_GATEWAYS if gateway_for(method)]


def build(name: str) -> Gateway | None:
    """A new adapter out of the settings; None without credentials. Raises ValueError."""
    entry: dict[str, Any] = settings.GATEWAYS[name]
    if not entry["enabled"]:
        return None
    adapter: type[Gateway] = import_string(entry["adapter"])
    return adapter.from_settings(entry["options"])
