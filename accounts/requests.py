"""Who sends a request of the API, and from where."""

from typing import cast
from uuid import UUID

from rest_framework.request import Request

from accounts.authentication import TokenHolder


def user_id_of(request: Request) -> UUID:
    """The user whose access token the request carries."""
    return cast("TokenHolder", request.user).user_id


def client_of(request: Request) -> str:
    """Whose idempotency keys these are: ``user:<id>``."""
    return f"user:{user_id_of(request).hex}"
