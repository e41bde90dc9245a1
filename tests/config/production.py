"""An environment as an operator sets it: ``.env.example``, filled in."""

import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

from cryptography.fernet import Fernet
from django.conf import settings

from api.generated_docs import read_settings

ROOT = Path(settings.BASE_DIR)
FILLED_IN = {
    "SECRET_KEY": secrets.token_urlsafe(48),
    "JWT_SIGNING_KEY": secrets.token_urlsafe(48),
    "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    "METRICS_TOKEN": secrets.token_urlsafe(24),
    "POSTGRES_PASSWORD": secrets.token_hex(16),
    "REDIS_PASSWORD": secrets.token_hex(16),
    "STRIPE_SECRET_KEY": f"sk_live_{secrets.token_hex(16)}",
    "STRIPE_WEBHOOK_SECRETS": f"whsec_{secrets.token_hex(16)}",
    "VNPAY_TMN_CODE": "SHOP0001",
    "VNPAY_HASH_SECRET": secrets.token_hex(16).upper(),
    "PAYPAL_CLIENT_ID": secrets.token_hex(40),
    "PAYPAL_SECRET": secrets.token_hex(40),
    "PAYPAL_MERCHANT_ID": "ABCDEFGH12345",
    "PAYPAL_WEBHOOK_IDS": "1AB23456CD789012E",
    "MOMO_PARTNER_CODE": "MOMOSHOP1234",
    "MOMO_ACCESS_KEY": secrets.token_hex(8),
    "MOMO_SECRET_KEY": secrets.token_hex(16),
}
# What a process needs of the machine, and nothing of the suite's own settings.
_MACHINE = ("HOME", "LANG", "TMPDIR")


def example() -> dict[str, str]:
    """The lines of ``.env.example`` that are not commented out."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return {one.name: one.value for one in read_settings(text) if one.is_required}


def production(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """The whole environment of a production process, on the suite's servers; "" unsets."""
    program_folder = str(Path(sys.executable).parent)
    values = {
        **{name: os.environ[name] for name in _MACHINE if name in os.environ},
        "PATH": f"{program_folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        **example(),
        **FILLED_IN,
        "DATABASE_URL": os.environ["DATABASE_URL"],
        "REDIS_URL": os.environ["REDIS_URL"],
        **(changes or {}),
    }
    return {name: value for name, value in values.items() if value}
