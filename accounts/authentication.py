"""API clients prove who they are by a short-lived access token; no query is needed to read it."""

from typing import Any, cast
from uuid import UUID

from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTStatelessUserAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken
from rest_framework_simplejwt.models import TokenUser
from rest_framework_simplejwt.tokens import Token

from audit.context import Actor, set_actor


class TokenHolder(TokenUser):
    """The user a token names, as far as the token itself says."""

    @property
    def user_id(self) -> UUID:
        """The id of the user."""
        return UUID(str(self.id))


class AccessTokenAuthentication(JWTStatelessUserAuthentication):
    """``Authorization: Bearer …``, with the holder known to the audit trail."""

    def authenticate(self, request: Request) -> tuple[Any, Token] | None:
        """The holder of the request's token; None where there is no token."""
        found = super().authenticate(request)
        if found is None:
            return None
        holder = cast("TokenHolder", found[0])
        try:
            set_actor(Actor("user", str(holder.user_id)))
        except ValueError as error:
            raise InvalidToken("The token names no user.") from error
        return holder, found[1]
