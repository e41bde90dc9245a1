"""The address a request came from, believing only the proxies we were told of."""

from ipaddress import ip_address
from typing import Final

from django.conf import settings
from django.http import HttpRequest

UNKNOWN: Final = "0.0.0.0"  # noqa: S104 - the "unspecified" address, nothing is bound to it


def client_ip(request: HttpRequest) -> str:
    """``REMOTE_ADDR``, or the entry that our outermost trusted proxy wrote."""
    address = request.META.get("REMOTE_ADDR", "")
    proxies = settings.TRUSTED_PROXIES
    if proxies:
        chain = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        # Entries further left were sent by the client itself and prove nothing.
        address = chain[-proxies].strip() if len(chain) >= proxies else address
    return _normal(address)


def _normal(address: str) -> str:
    try:
        parsed = ip_address(address.split("%", maxsplit=1)[0])
    except ValueError:
        return UNKNOWN
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)
