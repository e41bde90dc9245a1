"""Who we are at PayPal, where PayPal is, and whose certificates we believe."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import urlsplit

from gateways.options import read_choice, read_list, require_base_url, require_options

_LIVE_HOSTS: Final = frozenset({"api-m.paypal.com", "api.paypal.com"})
_CERT_ORIGINS_LIVE: Final = ("https://api.paypal.com", "https://api-m.paypal.com")
_CERT_ORIGINS_SANDBOX: Final = (
    "https://api.sandbox.paypal.com",
    "https://api-m.sandbox.paypal.com",
)
_VERIFICATIONS: Final = frozenset({"local", "api"})
_WEBHOOK_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_BRAND_NAME_MAX: Final = 127


@dataclass(frozen=True, slots=True)
class Config:
    """``webhook_ids`` are all that are in use: while a webhook moves, two of them are.

    ``cert_roots`` is a PEM file of the roots (and, if they are not served, the intermediates)
    that webhook certificates must chain to; "" means the public ones.
    """

    client_id: str
    secret: str = field(repr=False)
    merchant_id: str
    webhook_ids: tuple[str, ...]
    api_base: str
    cert_origins: tuple[str, ...]
    cert_roots: str = ""
    webhook_verification: str = "local"
    brand_name: str = ""

    @property
    def account(self) -> str:
        """Our merchant account."""
        return self.merchant_id

    @property
    def live(self) -> bool:
        """Whether real money moves there."""
        return urlsplit(self.api_base).hostname in _LIVE_HOSTS

    @classmethod
    def from_settings(cls, options: Mapping[str, str]) -> Self:
        """Read ``client_id``, ``secret``, ``merchant_id``, ``webhook_ids`` (comma separated) and
        ``api_base``; optional are ``cert_origins``, ``cert_roots``, ``webhook_verification``
        (``local`` or ``api``) and ``brand_name``. Raises ValueError naming what is wrong.
        """
        required = ("client_id", "secret", "merchant_id", "webhook_ids", "api_base")
        require_options(options, "PayPal", *required)
        api_base = require_base_url(options["api_base"], "api_base")
        return cls(
            client_id=options["client_id"],
            secret=options["secret"],
            merchant_id=options["merchant_id"],
            webhook_ids=_read_webhook_ids(options),
            api_base=api_base,
            cert_origins=_read_cert_origins(options, api_base),
            cert_roots=options.get("cert_roots", ""),
            webhook_verification=read_choice(
                options, "webhook_verification", _VERIFICATIONS, "local"
            ),
            brand_name=options.get("brand_name", "")[:_BRAND_NAME_MAX],
        )


def _read_webhook_ids(options: Mapping[str, str]) -> tuple[str, ...]:
    ids = read_list(options, "webhook_ids")
    if not ids or not all(_WEBHOOK_ID.fullmatch(webhook_id) for webhook_id in ids):
        given = options["webhook_ids"]
        raise ValueError(f"webhook_ids must be PayPal's ids, separated by commas, got {given!r}")
    return ids


def _read_cert_origins(options: Mapping[str, str], api_base: str) -> tuple[str, ...]:
    """The given origins, else PayPal's own of the same environment as the API."""
    if given := read_list(options, "cert_origins"):
        return tuple(require_base_url(origin, "cert_origins") for origin in given)
    host = urlsplit(api_base).hostname or ""
    if host in _LIVE_HOSTS:
        return _CERT_ORIGINS_LIVE
    # An API on another host (emulated on this machine) serves its own certificates.
    return _CERT_ORIGINS_SANDBOX if host.endswith(".sandbox.paypal.com") else (api_base,)
