"""Turns every error of the API into an RFC 9457 problem document.

Members: ``type, title, status, detail, code, request_id`` and, for an invalid request, ``errors``:
field → list of ``{code, detail}``. Each app has its own error root; this module maps them all.
"""

import logging
from http import HTTPStatus
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import set_rollback
from rest_framework_simplejwt.exceptions import InvalidToken

from audit.context import current_request_id
from orders.errors import OrderError
from payments.errors import PaymentError, RequestInProgress

logger = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = "1"

# DRF's and Django's exceptions → our error codes.
CODES: Final[dict[type[Exception], str]] = {
    exceptions.ParseError: "malformed",
    exceptions.ValidationError: "invalid",
    exceptions.NotAuthenticated: "not_authenticated",
    InvalidToken: "invalid_token",
    exceptions.AuthenticationFailed: "authentication_failed",
    exceptions.PermissionDenied: "permission_denied",
    PermissionDenied: "permission_denied",
    exceptions.NotFound: "not_found",
    Http404: "not_found",
    exceptions.MethodNotAllowed: "method_not_allowed",
    exceptions.NotAcceptable: "not_acceptable",
    exceptions.UnsupportedMediaType: "unsupported_media_type",
    exceptions.Throttled: "rate_limited",
}


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """The exception handler of DRF; returns None for an unexpected exception, which propagates."""
    set_rollback()
    if isinstance(error, PaymentError | OrderError):
        return _build_domain_problem(error)
    if isinstance(error, exceptions.APIException):
        return _build_framework_problem(error)
    if isinstance(error, Http404):
        return _response(404, "not_found", "Not found.")
    if isinstance(error, PermissionDenied):
        return _response(403, "permission_denied", "You may not do this.")
    if isinstance(error, OperationalError | InterfaceError):
        logger.error("database_unavailable", exc_info=error)
        detail = "The request could not be stored. Repeat it with the same Idempotency-Key."
        return _response(503, "unavailable", detail, headers={"Retry-After": RETRY_AFTER_S})
    return None


def _build_domain_problem(error: PaymentError | OrderError) -> Response:
    extra: dict[str, Any] = dict(getattr(error, "extra", {}))
    if error.field:
        extra["errors"] = {error.field: [{"code": error.code, "detail": error.detail}]}
    headers = {"Retry-After": RETRY_AFTER_S} if isinstance(error, RequestInProgress) else {}
    return _response(error.status, error.code, error.detail, extra, headers)


def _build_framework_problem(error: exceptions.APIException) -> Response:
    code = next((CODES[kind] for kind in type(error).__mro__ if kind in CODES), "error")
    headers: dict[str, str] = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
    if isinstance(error, exceptions.Throttled):
        headers["Retry-After"] = str(int(getattr(error, "wait", None) or 1) + 1)
    extra: dict[str, Any] = {}
    detail = _join_detail(error)
    if isinstance(error, exceptions.ValidationError):
        extra["errors"] = _field_errors(error.detail)
        detail = "The request is not valid: see errors."
    return _response(error.status_code, code, detail, extra, headers)


def _join_detail(error: exceptions.APIException) -> str:
    detail: Any = error.detail
    if isinstance(detail, dict):
        detail = detail.get("detail", "")
    return str(detail) if not isinstance(detail, list) else "; ".join(map(str, detail))


def _field_errors(detail: Any, path: str = "") -> dict[str, list[dict[str, str]]]:
    """Flatten DRF's nested errors; ``lines.0.quantity`` is the path of a field."""
    if isinstance(detail, dict):
        found: dict[str, list[dict[str, str]]] = {}
        for name, inner in detail.items():
            found |= _field_errors(inner, f"{path}.{name}" if path else str(name))
        return found
    if any(isinstance(item, dict | list) for item in detail):
        found = {}
        for index, inner in enumerate(detail):
            found |= _field_errors(inner, f"{path}.{index}") if inner else {}
        return found
    return {path or "request": [{"code": str(item.code), "detail": str(item)} for item in detail]}


# As RFC 9110 calls them: Python did not before 3.13.
_TITLES: Final = {413: "Content Too Large", 422: "Unprocessable Content"}


def get_status_title(status: int) -> str:
    """The reason phrase of an HTTP status, the same with every Python version."""
    return _TITLES.get(status) or HTTPStatus(status).phrase


def problem(
    status: int, code: str, detail: str, extra: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The members of a problem document."""
    return {
        "type": f"{settings.BASE_URL}/docs/errors#{code}",
        "title": get_status_title(status),
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": current_request_id(),
        **(extra or {}),
    }


def _response(
    status: int,
    code: str,
    detail: str,
    extra: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    return _Problem(
        problem(status, code, detail, extra),
        status=status,
        headers=headers,
        content_type=MEDIA_TYPE,
    )


class _Problem(Response):
    """Renders JSON even in a view whose own renderer makes HTML."""

    @property
    def rendered_content(self) -> str:
        self.accepted_renderer = JSONRenderer()
        rendered: str = super().rendered_content
        return rendered


def json_error(request: HttpRequest, status: int, code: str, detail: str) -> JsonResponse:
    """A problem document outside of DRF: unknown paths and crashes of API routes."""
    return JsonResponse(problem(status, code, detail), status=status, content_type=MEDIA_TYPE)
