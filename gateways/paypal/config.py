"""Who we are at PayPal, where PayPal is, and whose certificates we believe."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import urlsplit

from gateways.options import require_base_url

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
        missing = [name for name in required if not options.get(name)]
        if missing:
            raise ValueError(f"PayPal needs {', '.join(missing)}")
        api_base = require_base_url(options["api_base"], "api_base")
        return cls(
            client_id=options["client_id"],
            secret=options["secret"],
            merchant_id=options["merchant_id"],
            webhook_ids=_read_webhook_ids(options["webhook_ids"]),
            api_base=api_base,
            cert_origins=_read_cert_origins(options.get("cert_origins", ""), api_base),
            cert_roots=options.get("cert_roots", ""),
            webhook_verification=_read_verification(options.get("webhook_verification", "")),
            brand_name=options.get("brand_name", "")[:_BRAND_NAME_MAX],
        )


def _read_webhook_ids(text: str) -> tuple[str, ...]:
    ids = _listed(text)
    if not ids or not all(_WEBHOOK_ID.fullmatch(webhook_id) for webhook_id in ids):
        raise ValueError(f"webhook_ids must be PayPal's ids, separated by commas, got {text!r}")
    return ids


def _read_cert_origins(text: str, api_base: str) -> tuple[str, ...]:
    """The given origins, else PayPal's own of the same environment as the API."""
    if text:
        return tuple(require_base_url(origin, "cert_origins") for origin in _listed(text))
    host = urlsplit(api_base).hostname or ""
    if host in _LIVE_HOSTS:
        return _CERT_ORIGINS_LIVE
    # An API on another host (emulated on this machine) serves its own certificates.
    return _CERT_ORIGINS_SANDBOX if host.endswith(".sandbox.paypal.com") else (api_base,)


def _read_verification(text: str) -> str:
    if text and text not in _VERIFICATIONS:
        raise ValueError(f"webhook_verification must be one of {sorted(_VERIFICATIONS)}")
    return text or "local"


def _listed(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())
