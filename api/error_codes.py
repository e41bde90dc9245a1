"""Every error code of the API, read from where the errors are made: for pages and documents."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework.exceptions import APIException

from api.problems import CODES
from orders.errors import OrderError
from payments.errors import PaymentError


@dataclass(frozen=True, slots=True, order=True)
class ErrorCode:
    """``field`` is the invalid field of the request, if it is always the same one."""

    status: int
    code: str
    meaning: str
    field: str = ""


# Codes of errors that Django and DRF raise.
_MEANINGS: Final = {
    "malformed": "The body is not a JSON object that follows RFC 8259, or is too large.",
    "invalid": "Fields are missing, unknown or invalid: see errors.",
    "not_authenticated": "There is no access token. Send Authorization: Bearer ….",
    "invalid_token": "The access token has expired, or is not one of ours. Take a new one.",
    "authentication_failed": "The user name or the password is wrong.",
    "permission_denied": "The account is signed in and not allowed to do this.",
    "not_found": "Unknown, or another user's: both get the same answer.",
    "method_not_allowed": "This path does not take this HTTP method.",
    "not_acceptable": "The Accept header asks for an unknown media type or version.",
    "unsupported_media_type": "The body must be application/json.",
    "rate_limited": "Too many requests. Wait as long as Retry-After says.",
}
_ELSEWHERE: Final = (
    ErrorCode(403, "csrf_failed", "A form was open for too long, or cookies are off."),
    ErrorCode(500, "internal_error", "Our fault. Repeat with the same Idempotency-Key."),
    ErrorCode(
        503,
        "unavailable",
        "The request could not be stored. Repeat it with the same Idempotency-Key.",
    ),
)
_STATUSES: Final[dict[type[Exception], int]] = {PermissionDenied: 403, Http404: 404}

# In errors of an invalid request, beside those that have a status of their own.
FIELD_CODES: Final = {
    "required": "The field is missing.",
    "null": "It must not be null.",
    "blank": "It must not be empty.",
    "empty": "The list must not be empty.",
    "not_a_list": "It must be a list.",
    "invalid": "It has the wrong type or form.",
    "invalid_choice": "It is not one of the allowed values.",
    "min_value": "It is too small.",
    "max_value": "It is too large.",
    "min_length": "It is too short.",
    "max_length": "It is too long.",
    "too_long": "A value of metadata is too long.",
    "unknown_member": "Unknown field.",
    "unknown_currency": "It is not an ISO 4217 code in capitals that we know.",
    "card_number_refused": "It holds a card number. None may enter this system.",
}


def error_codes() -> tuple[ErrorCode, ...]:
    """All of them, by status and name; one that several errors share stands once."""
    found: dict[tuple[int, str], ErrorCode] = {}
    for error in (*_framework_errors(), *_ELSEWHERE, *_domain_errors()):
        found.setdefault((error.status, error.code), error)
    return tuple(sorted(found.values()))


def _framework_errors() -> Iterator[ErrorCode]:
    for kind, code in CODES.items():
        status = kind.status_code if issubclass(kind, APIException) else _STATUSES[kind]
        yield ErrorCode(status, code, _MEANINGS[code])


def _domain_errors() -> Iterator[ErrorCode]:
    roots: tuple[type[PaymentError | OrderError], ...] = (PaymentError, OrderError)
    for root in roots:
        for kind in root.__subclasses__():
            meaning = " ".join((kind.__doc__ or "").replace("``", "").split())
            yield ErrorCode(kind.status, kind.code, meaning, kind.field)
