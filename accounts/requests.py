"""Who sends a request of the API, and from where."""

from typing import cast
from uuid import UUID

from rest_framework.request import Request

from accounts.authentication import TokenHolder


def read_user_id(request: Request) -> UUID:
    """The user whose access token the request carries."""
    return cast("TokenHolder", request.user).user_id


def read_client(request: Request) -> str:
    """Whose idempotency keys these are: ``user:<id>``."""
    return f"user:{read_user_id(request).hex}"
