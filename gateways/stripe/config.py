"""What Stripe gave us for one account, and where Stripe is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from gateways.options import read_list, require_base_url

API_BASE: Final = "https://api.stripe.com"
_SECRET_KEY: Final = re.compile(r"(?:sk|rk)_(test|live)_\w+")


@dataclass(frozen=True, slots=True)
class Config:
    """Credentials and addresses.

    ``webhook_secrets`` are all that are valid now: while one is rolled, Stripe signs with both.
    ``account`` (``acct_…``) is only needed to receive the events of a connected account.
    """

    secret_key: str = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(repr=False)
    live: bool
    api_base: str = API_BASE
    account: str = ""

    @classmethod
    def from_settings(cls, options: Mapping[str, str]) -> Self:
        """Read ``secret_key, webhook_secrets`` and, optional, ``api_base, account``.

        The key itself says whether real money moves. Raises ValueError.
        """
        secret_key = options.get("secret_key", "").strip()
        match = _SECRET_KEY.fullmatch(secret_key)
        if match is None:
            raise ValueError("stripe secret_key must start with sk_test_, sk_live_, rk_test_…")
        return cls(
            secret_key=secret_key,
            webhook_secrets=_webhook_secrets(options),
            live=match[1] == "live",
            api_base=require_base_url(options.get("api_base") or API_BASE, "stripe api_base"),
            account=options.get("account", "").strip(),
        )


def _webhook_secrets(options: Mapping[str, str]) -> tuple[str, ...]:
    secrets = read_list(options, "webhook_secrets")
    if not secrets or not all(secret.startswith("whsec_") for secret in secrets):
        raise ValueError("stripe webhook_secrets must be a list of whsec_… secrets")
    return secrets
