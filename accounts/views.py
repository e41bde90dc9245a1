"""Access and refresh tokens for client apps."""

from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

from accounts.throttling import TokenThrottle


class TokenView(TokenObtainPairView):
    """A name and a password for a short-lived access token and a refresh token."""

    throttle_classes = (TokenThrottle,)


class RefreshView(TokenRefreshView):
    """A refresh token for a new pair; the old one is used up."""

    throttle_classes = (TokenThrottle,)
