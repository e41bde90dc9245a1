"""Bearer tokens: good for nine hours, and proven by a signature instead of a table."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import TYPE_CHECKING, Final

from aiohttp import web

from sandbox.paypal.errors import DEBUG_HEADER, new_debug_id

if TYPE_CHECKING:
    from sandbox.paypal.store import Store

LIFE_S: Final = 31_668
PREFIX: Final = "A21AA"
SCOPE: Final = (
    "https://uri.paypal.com/services/payments/payment/authcapture "
    "https://uri.paypal.com/services/payments/refund "
    "https://uri.paypal.com/services/applications/webhooks "
    "https://uri.paypal.com/services/disputes/read-seller "
    "https://uri.paypal.com/services/reporting/search/read"
)


class Tokens:
    """Gives and checks tokens of the one app."""

    def __init__(self, store: Store, *, client_id: str, secret: str) -> None:
        """``secret`` is the app's, and keys the tokens' signatures too."""
        self._store = store
        self._client_id = client_id
        self._secret = secret

    def answer(self, authorization: str, body: bytes) -> web.Response:
        """The answer of the token endpoint, whose errors have a shape of their own."""
        expected = f"{self._client_id}:{self._secret}".encode()
        if not hmac.compare_digest(basic(authorization), expected):
            return refusal(401, "invalid_client", "Client Authentication failed")
        if b"grant_type=client_credentials" not in body:
            return refusal(400, "unsupported_grant_type", "Grant Type is missing or unsupported")
        ends = int(self._store.now) + LIFE_S
        return web.json_response(
            {
                "scope": SCOPE,
                "access_token": f"{PREFIX}{ends:x}.{self._mark(ends)}",
                "token_type": "Bearer",
                "app_id": "APP-80W284485P519543T",
                "expires_in": LIFE_S,
                "nonce": f"{self._store.stamp()}{new_debug_id()}",
            },
            headers={DEBUG_HEADER: new_debug_id()},
        )

    def good(self, authorization: str) -> bool:
        """Whether a call brings a token that we gave and that is not over."""
        scheme, _, token = authorization.partition(" ")
        text, _, mark = token.strip().removeprefix(PREFIX).partition(".")
        try:
            ends = int(text, 16)
        except ValueError:
            return False
        is_ours = hmac.compare_digest(mark.encode(), self._mark(ends).encode())
        return scheme.lower() == "bearer" and is_ours and self._store.now < ends

    def _mark(self, ends: int) -> str:
        return hmac.new(self._secret.encode(), str(ends).encode(), hashlib.sha256).hexdigest()


def basic(authorization: str) -> bytes:
    """The pair of a Basic header, or nothing."""
    scheme, _, pair = authorization.partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(pair.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""


def refusal(status: int, error: str, description: str) -> web.Response:
    """The OAuth shape of an error."""
    return web.json_response({"error": error, "error_description": description}, status=status)
