"""The settings of a stack on this machine: generated once, kept with its data, and handed to all.

The product and the sandbox read the same names, so both sides of a gateway hold the same keys.
"""

import base64
import os
import re
import secrets
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from local.ports import LOOPBACK

ALPHANUMERIC = string.ascii_letters + string.digits
# What a shell and a settings reader both take as it stands.
PLAIN_VALUE = re.compile(r"[A-Za-z0-9_@%+=:,./?&-]*")
SANDBOX = Path(__file__).resolve().parent.parent / "sandbox"
# Names every setting; those of a further account at a gateway begin with the account's name.
EXAMPLE = SANDBOX.parent / ".env.example"
RUN_FILE = "run.env"
SECRETS_FILE = "secrets.env"


def _text(length: int, alphabet: str = ALPHANUMERIC) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


UPPER_AND_DIGITS = string.ascii_uppercase + string.digits
# PayPal calls accounts without the characters that are easily mistaken.
ACCOUNT_CHARACTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
GENERATED: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: _text(64),
    "JWT_SIGNING_KEY": lambda: _text(64),
    "FIELD_ENCRYPTION_KEYS": _fernet_key,
    "DEMO_PASSWORD": lambda: _text(16),
}
# What docs/gateways/stripe.md asks Stripe to send: what the product reads, and nothing else.
STRIPE_EVENTS = (
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "charge.succeeded",
    "charge.captured",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.requires_action",
    "payment_intent.amount_capturable_updated",
    "payment_intent.canceled",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
)
# In the format of the real gateways, so that rules about length and prefix hold here too.
GATEWAY_KEYS: dict[str, dict[str, Callable[[], str]]] = {
    "stripe": {
        "STRIPE_SECRET_KEY": lambda: f"sk_test_{_text(32)}",
        "STRIPE_WEBHOOK_SECRETS": lambda: f"whsec_{_text(32)}",
        "STRIPE_ACCOUNT": lambda: f"acct_{_text(16)}",
    },
    "vnpay": {
        "VNPAY_TMN_CODE": lambda: _text(8, UPPER_AND_DIGITS),
        "VNPAY_HASH_SECRET": lambda: _text(32, UPPER_AND_DIGITS),
    },
    "paypal": {
        "PAYPAL_CLIENT_ID": lambda: _text(80),
        "PAYPAL_SECRET": lambda: _text(80),
        "PAYPAL_MERCHANT_ID": lambda: _text(13, ACCOUNT_CHARACTERS),
        "PAYPAL_WEBHOOK_IDS": lambda: _text(17, UPPER_AND_DIGITS),
    },
    "momo": {
        "MOMO_PARTNER_CODE": lambda: f"MOMO{_text(8, UPPER_AND_DIGITS)}",
        "MOMO_ACCESS_KEY": lambda: _text(16),
        "MOMO_SECRET_KEY": lambda: _text(32),
    },
}


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Where the parts of one stack are reached."""

    database_url: str
    redis_url: str
    port: int
    sandbox_port: int

    @property
    def web(self) -> str:
        """The product's base URL."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def sandbox(self) -> str:
        """The sandbox's base URL."""
        return f"http://{LOOPBACK}:{self.sandbox_port}"


def build(
    kind: Literal["local", "test"],
    *,
    data_dir: Path,
    addresses: Addresses,
    given: Mapping[str, str],
) -> dict[str, str]:
    """Every setting of a stack; one that is `given` stands above the one made here.

    Secrets are generated the first time and kept in the data folder, readable by its owner alone.
    """
    settings = _kept_secrets(data_dir / SECRETS_FILE) | {
        # People should see the pages that shoppers see, also when something is wrong.
        "DEBUG": "false",
        "DATA_DIR": str(data_dir),
        "PORT": str(addresses.port),
        "BASE_URL": addresses.web,
        "WEB_THREADS": "8",
        # A browser follows a form to the pay page only if our policy names that page's origin.
        "GATEWAY_ORIGINS": addresses.sandbox,
        "SANDBOX_PORT": str(addresses.sandbox_port),
        "SANDBOX_URL": addresses.sandbox,
        "SANDBOX_WEBHOOK_BASE": f"{addresses.web}/webhooks",
        "SANDBOX_DATA_DIR": str(data_dir / "sandbox"),
        # The sandbox makes this root when it starts; the product trusts PayPal's webhooks by it.
        "PAYPAL_CERT_ROOTS": str(data_dir / "sandbox" / "paypal-root.pem"),
        "STRIPE_WEBHOOK_EVENTS": ",".join(STRIPE_EVENTS),
        # Four slashes: the reader of this URL takes the first of the path away.
        "EMAIL_URL": f"filemail:///{quote(str(data_dir / 'mail'))}",
    }
    chosen = {name: given.get(name) or value for name, value in settings.items()}
    # Never what the caller's shell says: production has no place on this stack.
    fixed = {
        "DJANGO_ENV": kind,
        "DATABASE_URL": addresses.database_url,
        "REDIS_URL": addresses.redis_url,
    }
    return _given_beside(given) | chosen | fixed


def _given_beside(given: Mapping[str, str]) -> dict[str, str]:
    """Every setting that the caller gives: the processes inherit it, and `manage.py` reads it."""
    known = set(re.findall(r"^#?([A-Z_]+)=", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE))
    accounts = given.get("GATEWAY_ACCOUNTS", "").split(",")
    own = tuple(f"{pair.partition('=')[0].strip().upper()}_" for pair in accounts if pair.strip())
    return {n: v for n, v in given.items() if v and (n in known or (own and n.startswith(own)))}


def process_env(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process of the stack: the caller's own, and the settings above it."""
    return dict(os.environ) | dict(settings) | {"PYTHONUNBUFFERED": "1"}


def write(path: Path, settings: Mapping[str, str]) -> None:
    """Write settings for `manage.py` and for a shell, readable by the owner alone."""
    lines = [f"{name}={_quoted(value)}\n" for name, value in sorted(settings.items())]
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("".join(lines))
    path.chmod(0o600)


def _kept_secrets(path: Path) -> dict[str, str]:
    kept: dict[str, str] = {}
    if path.exists():
        pairs = (line.partition("=") for line in path.read_text().splitlines())
        kept = {name: value for name, _, value in pairs}
    missing = {name: make() for name, make in _wanted().items() if name not in kept}
    if missing:
        kept |= missing
        write(path, kept)
    return kept


def _wanted() -> dict[str, Callable[[], str]]:
    # Keys switch a gateway on. One that the sandbox does not emulate would be offered to shoppers
    # and every payment there would get no answer.
    wanted = dict(GENERATED)
    for gateway, keys in GATEWAY_KEYS.items():
        if (SANDBOX / gateway).is_dir():
            wanted |= keys
    return wanted


def _quoted(value: str) -> str:
    if PLAIN_VALUE.fullmatch(value):
        return value
    return '"' + re.sub(r'(["\\$`])', r"\\\1", value) + '"'
