"""Reading settings from the environment: typed, with a clear word about what is missing."""

import os
from typing import Final

import environ
from django.core.exceptions import ImproperlyConfigured

env: Final = environ.Env()

# ``production`` refuses defaults for anything secret; ``local`` is ``bin/run``; ``test`` the suite.
ENVIRONMENT: Final[str] = env.str("DJANGO_ENV", default="production")
IS_PRODUCTION: Final = ENVIRONMENT not in {"local", "test"}


def secret(name: str, *, minimum: int = 32) -> str:
    """A secret, at least ``minimum`` characters long; outside production a fixed stand-in."""
    value: str = env.str(name, default="")
    if not value and not IS_PRODUCTION:
        return f"not-a-secret-{name.lower()}".ljust(minimum, "-")
    if len(value) < minimum:
        raise ImproperlyConfigured(f"Set {name} to a random value of {minimum} or more characters.")
    return value


def required_in_production(name: str, default: str) -> str:
    """A value that production must be told; ``default`` serves everywhere else."""
    value: str = env.str(name, default="" if IS_PRODUCTION else default)
    if not value:
        raise ImproperlyConfigured(f"Set {name}: it has no default in production.")
    return value


def group(prefix: str, **defaults: str) -> dict[str, str]:
    """Every variable that starts with ``prefix``, by the rest of its name in lower case."""
    given = {
        name.removeprefix(prefix).lower(): value
        for name, value in os.environ.items()
        if name.startswith(prefix) and value
    }
    return {**defaults, **given}
