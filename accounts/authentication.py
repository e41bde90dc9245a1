"""API clients prove who they are by a short-lived access token; no query is needed to read it."""

from uuid import UUID

from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTStatelessUserAuthentication
from rest_framework_simplejwt.models import TokenUser


class TokenHolder(TokenUser):
    """The user a token names, as far as the token itself says."""

    @property
    def user_id(self) -> UUID:
        """The id of the user."""
        return UUID(str(self.id))


class AccessTokenAuthentication(JWTStatelessUserAuthentication):
    """``Authorization: Bearer …``, with the holder known to the audit trail."""

    def authenticate(self, request: Request) -> "tuple[TokenHolder, object] | None":
        """The holder of the request's token; None where there is no token."""
        return super().authenticate(request)  # type: ignore[return-value]
