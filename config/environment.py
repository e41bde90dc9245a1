"""Reads typed settings from the environment and names the missing ones.

Production refuses what would be harmless elsewhere: a secret that is missing or a stand-in, an
address without TLS, debugging, and the sandbox. It does so while the settings are read, so that
no process of ours ever runs with them.
"""

import os
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import environ
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

env: Final = environ.Env()

# ``production`` refuses defaults for anything secret; ``local`` is ``bin/run``; ``test`` the suite.
ENVIRONMENT: Final[str] = env.str("DJANGO_ENV", default="production")
IS_PRODUCTION: Final = ENVIRONMENT not in {"local", "test"}

_STAND_IN: Final = "not-a-secret-"
# Random text of 32 characters has more different ones than this, typed text often has not.
_DIFFERENT_CHARACTERS_MIN: Final = 10
_WEAK_PASSWORDS: Final = frozenset({"", "password", "postgres", "payments", "redis", "secret"})


def secret(name: str, *, minimum: int = 32) -> str:
    """A secret, at least ``minimum`` characters long; outside production a fixed stand-in."""
    value: str = env.str(name, default="")
    if not IS_PRODUCTION:
        return value or f"{_STAND_IN}{name.lower()}".ljust(minimum, "-")
    is_random = len(set(value)) >= _DIFFERENT_CHARACTERS_MIN and not value.startswith(_STAND_IN)
    if len(value) < minimum or not is_random:
        raise ImproperlyConfigured(f"Set {name} to a random value of {minimum} or more characters.")
    return value


def encryption_keys(name: str) -> list[str]:
    """Fernet keys, newest first; production needs one."""
    keys: list[str] = env.list(name, default=[])
    if IS_PRODUCTION and not keys:
        raise ImproperlyConfigured(f"Set {name} to one or more Fernet keys.")
    for key in keys:
        _require_fernet_key(name, key)
    return keys


def _require_fernet_key(name: str, key: str) -> None:
    try:
        Fernet(key)
    except ValueError:
        # The error that caused this is left out: its words could repeat a part of the key.
        raise ImproperlyConfigured(
            f"{name} holds something that is not a Fernet key (32 bytes, URL-safe base64)."
        ) from None


def required_in_production(name: str, default: str) -> str:
    """A value that production must set; ``default`` is used everywhere else."""
    value: str = env.str(name, default="" if IS_PRODUCTION else default)
    if not value:
        raise ImproperlyConfigured(f"Set {name}: it has no default in production.")
    return value


def server_url(name: str, default: str) -> str:
    """The address of a server of ours. Production asks for a password that is not a stand-in."""
    url = required_in_production(name, default)
    if IS_PRODUCTION and (urlsplit(url).password or "") in _WEAK_PASSWORDS:
        raise ImproperlyConfigured(f"{name} needs a password that nobody guesses.")
    return url


def public_url(name: str, default: str) -> str:
    """The address that people and gateways know us by. Production asks for TLS."""
    url = required_in_production(name, default).rstrip("/")
    if IS_PRODUCTION and not (url.startswith("https://") and urlsplit(url).hostname):
        raise ImproperlyConfigured(f"{name} must start with https:// in production.")
    return url


def refuse_in_production(values: Mapping[str, object]) -> None:
    """Raise ImproperlyConfigured when one of ``values``, by variable, is set in production."""
    given = [name for name, value in values.items() if value]
    if IS_PRODUCTION and given:
        raise ImproperlyConfigured(f"{given[0]} is set: it has no place in production.")


def require_different(values: Mapping[str, str]) -> None:
    """Raise ImproperlyConfigured when two secrets are the same."""
    if len(set(values.values())) < len(values):
        raise ImproperlyConfigured(f"{' and '.join(values)} must differ from each other.")


def group(prefix: str, **defaults: str) -> dict[str, str]:
    """Every variable that starts with ``prefix``, by the rest of its name in lower case."""
    given = {
        name.removeprefix(prefix).lower(): value
        for name, value in os.environ.items()
        if name.startswith(prefix) and value
    }
    return {**defaults, **given}
