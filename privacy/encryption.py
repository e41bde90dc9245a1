"""One-time payment tokens wait encrypted and are wiped when their operation ends."""

from functools import cache

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


def seal(token: str) -> str:
    """``token`` as it may stand in the database; "" stays ""."""
    return _cipher().encrypt(token.encode()).decode() if token else ""


def unseal(sealed: str) -> str:
    """The token again. Raises InvalidToken when no active key fits."""
    return _cipher().decrypt(sealed.encode()).decode() if sealed else ""


@cache
def _cipher() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.FIELD_ENCRYPTION_KEYS])
