"""Access and refresh tokens for client apps."""

from typing import Any

from axes.helpers import get_cool_off
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

from accounts.throttling import TokenThrottle


class TokenView(TokenObtainPairView):
    """A name and a password for a short-lived access token and a refresh token."""

    throttle_classes = (TokenThrottle,)

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Sign in. 429 for a name and an address with too many failures, right password or not.

        django-axes marks the request it was handed, which is DRF's; its own middleware looks
        at Django's and would let the 401 pass.
        """
        try:
            return super().post(request, *args, **kwargs)
        except AuthenticationFailed as error:
            if not getattr(request, "axes_locked_out", False):
                raise
            cool_off = get_cool_off(request)
            wait = cool_off.total_seconds() if cool_off else None
            raise Throttled(wait, "Too many failed sign-ins.") from error


class RefreshView(TokenRefreshView):
    """A refresh token for a new pair; the old one is used up."""

    throttle_classes = (TokenThrottle,)
