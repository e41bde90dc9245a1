"""PayPal's errors: a name for each HTTP status, and the issue that programs decide on."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from aiohttp import web

from sandbox.faults import Failures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.journal import Json

NAMES: Final[Mapping[int, str]] = {
    400: "INVALID_REQUEST",
    401: "AUTHENTICATION_FAILURE",
    403: "NOT_AUTHORIZED",
    404: "RESOURCE_NOT_FOUND",
    409: "RESOURCE_CONFLICT",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "UNPROCESSABLE_ENTITY",
    429: "RATE_LIMIT_REACHED",
    500: "INTERNAL_SERVER_ERROR",
    503: "SERVICE_UNAVAILABLE",
}
MESSAGES: Final[Mapping[str, str]] = {
    "INVALID_REQUEST": "The request is malformed or breaks the schema.",
    "AUTHENTICATION_FAILURE": "The access token is missing, unknown or over.",
    "NOT_AUTHORIZED": "The app may not do this.",
    "RESOURCE_NOT_FOUND": "There is no such resource.",
    "RESOURCE_CONFLICT": "Another request is at work on this.",
    "UNSUPPORTED_MEDIA_TYPE": "The body must be application/json.",
    "UNPROCESSABLE_ENTITY": "The request is well formed, but it cannot be done.",
    "RATE_LIMIT_REACHED": "Too many requests.",
    "INTERNAL_SERVER_ERROR": "An internal error happened.",
    "SERVICE_UNAVAILABLE": "The service is not available.",
    "RESULTSET_TOO_LARGE": "The search finds more than may be shown.",
}
DEBUG_HEADER: Final = "PayPal-Debug-Id"


class PaypalError(Exception):
    """A call ends with one of PayPal's errors."""

    def __init__(
        self, status: int, issue: str = "", *, field: str = "", text: str = "", name: str = ""
    ) -> None:
        """``issue`` is what ``details`` name; without one there are no details. ``name`` is that of
        the status unless given.
        """
        self.name = name or NAMES[status]
        super().__init__(issue or self.name)
        self.status = status
        self.issue = issue
        self.field = field
        self.text = text

    def response(self) -> web.Response:
        """The error on the wire."""
        debug_id = new_debug_id()
        body: Json = {"name": self.name, "message": MESSAGES[self.name], "debug_id": debug_id}
        if self.issue:
            detail = {"issue": self.issue, "description": self.text or sentence(self.issue)}
            body["details"] = [detail | ({"field": self.field} if self.field else {})]
        body["links"] = []
        return web.json_response(body, status=self.status, headers={DEBUG_HEADER: debug_id})


def refused(issue: str) -> PaypalError:
    """A well-formed request that PayPal's rules forbid."""
    return PaypalError(422, issue)


def invalid(issue: str, field: str = "") -> PaypalError:
    """A request that breaks the schema."""
    return PaypalError(400, issue, field=field)


def not_found() -> PaypalError:
    """An id that PayPal does not know, or does not know any more."""
    return PaypalError(404, "INVALID_RESOURCE_ID")


def new_debug_id() -> str:
    """What PayPal asks for when somebody calls its support."""
    return secrets.token_hex(7)[:13]


def sentence(issue: str) -> str:
    """An issue in words."""
    return f"{issue.replace('_', ' ').capitalize()}."


def mocked(header: str) -> PaypalError | None:
    """The error that PayPal-Mock-Response asks for, as PayPal's own sandbox obeys it."""
    for status, name in NAMES.items():
        if f'"{name}"' in header:
            return PaypalError(status)
    _, _, rest = header.partition('"mock_application_codes"')
    parts = rest.split('"')
    return refused(parts[1]) if len(parts) > 1 and parts[1] else None


FAILURES: Final = Failures(
    http_500=lambda: PaypalError(500).response(),
    http_500_after=lambda: PaypalError(500).response(),
    http_429=lambda: PaypalError(429).response(),
)
