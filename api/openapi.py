"""Adds to the OpenAPI document what drf-spectacular cannot read from the views.

The views and serializers describe what goes in and what comes out when all is well. Here stands,
by operation, what can go wrong and which headers travel along; a hook adds it to the document.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerFieldExtension,
)

from api.api import BODY_BYTES_MAX
from api.error_codes import ErrorCode, error_codes
from api.openapi_examples import EXAMPLES, PROBLEM_BASE
from api.problems import MEDIA_TYPE, get_status_title
from gateways.outcome import FailureCode
from payments.api.serializers import (
    METADATA_KEY_MAX,
    METADATA_MEMBERS_MAX,
    METADATA_VALUE_MAX,
)

Json = dict[str, Any]

# Names for what would else be called after the member that holds it.
FAILURE_CODES: Final = sorted(FailureCode)
NEXT_ACTIONS: Final = ("redirect",)
# Schemas of bodies that refuse a member they do not know.
_STRICT: Final = (
    "NewPaymentRequest",
    "CaptureRequest",
    "NewOrderRequest",
    "ItemRequest",
    "ShopperRequest",
)

_ALWAYS: Final = ("not_acceptable", "internal_error", "unavailable")
_SIGNED_IN: Final = (*_ALWAYS, "not_authenticated", "invalid_token")
_BODY: Final = ("malformed", "invalid", "unsupported_media_type", "rate_limited")
_WRITE: Final = (*_SIGNED_IN, *_BODY)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: the codes it may answer with, and headers of its good answers."""

    codes: tuple[str, ...]
    tag: str
    headers: tuple[str, ...] = ()
    # Parameters that DRF's machinery offers and this operation does not have.
    without: frozenset[str] = field(default_factory=frozenset)


OPERATIONS: Final[Mapping[str, Operation]] = {
    "auth_token_create": Operation((*_ALWAYS, *_BODY, "authentication_failed"), "auth"),
    "auth_token_refresh_create": Operation((*_ALWAYS, *_BODY, "invalid_token"), "auth"),
    "list_products": Operation(_ALWAYS, "products", without=frozenset({"cursor", "limit"})),
    "list_orders": Operation((*_SIGNED_IN, "not_found"), "orders"),
    "create_order": Operation((*_WRITE, "invalid_line"), "orders"),
    "get_order": Operation((*_SIGNED_IN, "not_found"), "orders"),
    "cancel_order": Operation(
        (*_SIGNED_IN, "not_found", "already_paid", "not_cancellable", "payment_in_progress"),
        "orders",
    ),
    "list_payments": Operation((*_SIGNED_IN, "not_found"), "payments"),
    "create_payment": Operation(
        (
            *_WRITE,
            "not_found",
            "payment_in_progress",
            "already_paid",
            "order_cancelled",
            "request_in_progress",
            "idempotency_key_reused",
            "amount_mismatch",
            "currency_mismatch",
            "method_unavailable",
            "channel_unavailable",
            "capture_unavailable",
            "payment_token_not_accepted",
            "payment_token_required",
            "return_url_not_allowed",
            "card_number_refused",
        ),
        "payments",
        headers=("Idempotency-Key", "Idempotent-Replayed", "Preference-Applied"),
    ),
    "get_payment": Operation((*_SIGNED_IN, "not_found"), "payments"),
    "capture_payment": Operation(
        (*_WRITE, "not_found", "already_paid", "not_capturable", "capture_amount_refused"),
        "payments",
    ),
    "cancel_payment": Operation(
        (*_SIGNED_IN, "not_found", "already_paid", "not_cancellable"), "payments"
    ),
}

_HEADERS: Final[Mapping[str, Json]] = {
    "X-Request-Id": {
        "description": "Names this request in our logs and in the audit trail.",
        "schema": {"type": "string"},
    },
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
    "WWW-Authenticate": {
        "description": "How to prove who you are.",
        "schema": {"type": "string"},
    },
    "Idempotency-Key": {
        "description": "The key of this payment: yours, or the one that was made for you.",
        "schema": {"type": "string"},
    },
    "Idempotent-Replayed": {
        "description": "``true``: this is the stored answer to an earlier request.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Preference-Applied": {
        "description": "``wait=N``: the answer was held back and shows how things stand now.",
        "schema": {"type": "string"},
    },
}
_HEADERS_BY_STATUS: Final[Mapping[int, tuple[str, ...]]] = {
    401: ("WWW-Authenticate",),
    409: ("Retry-After",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}

PROBLEM: Final[Json] = {
    "type": "object",
    "description": "RFC 9457. ``code`` is for programs, ``detail`` for people.",
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "object",
            "description": "By member of the request; ``lines.0.quantity`` names a nested one.",
            "additionalProperties": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"code": {"type": "string"}, "detail": {"type": "string"}},
                    "required": ["code", "detail"],
                },
            },
        },
        "payment_id": {
            "type": "string",
            "description": "With ``payment_in_progress``: the payment that is in the way.",
        },
    },
    "required": ["type", "title", "status", "detail", "code", "request_id"],
}

DESCRIPTION: Final = f"""\
Orders and payments for client apps. Amounts are whole numbers of minor units: 1999 is 19.99 USD,
and 125000 is 125,000 VND. Times are RFC 3339 in UTC. Bodies are JSON objects of at most
{BODY_BYTES_MAX // 1024} KiB; a member that is unknown is refused. Lists are
`{{results, next, previous}}`: follow `next` until it is null. Every error is a problem document
(RFC 9457); its `type` leads to what it means.
"""


class AccessTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """``Authorization: Bearer`` with a token from ``POST /auth/token``."""

    target_class = "accounts.authentication.AccessTokenAuthentication"
    name = "accessToken"

    def get_security_definition(self, auto_schema: Any) -> Json:
        """The scheme as OpenAPI writes it."""
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "From `POST /auth/token`; lives for some minutes.",
        }


class MetadataSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """An object of texts."""

    target_class = "payments.api.serializers.MetadataField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Json:
        """The field as JSON Schema."""
        return {
            "type": "object",
            "description": "For your own use; at most 20 members, no card numbers.",
            "maxProperties": METADATA_MEMBERS_MAX,
            "propertyNames": {"type": "string", "maxLength": METADATA_KEY_MAX},
            "additionalProperties": {"type": "string", "maxLength": METADATA_VALUE_MAX},
        }


def complete(result: Json, **kwargs: Any) -> Json:
    """The hook: add problems, headers, examples and tags to every operation."""
    result["info"]["description"] = DESCRIPTION
    schemas = result["components"]["schemas"]
    schemas["Problem"] = PROBLEM
    for name in _STRICT:
        schemas[name]["additionalProperties"] = False
    result["components"]["headers"] = dict(_HEADERS)
    for methods in result["paths"].values():
        for operation in methods.values():
            _complete(operation, OPERATIONS[operation["operationId"]])
    return result


def _complete(operation: Json, known: Operation) -> None:
    operation["tags"] = [known.tag]
    # The first paragraph of a view's docstring is for clients, what follows for its readers.
    operation["description"] = operation["description"].partition("\n\n")[0]
    operation["summary"] = operation["description"].partition(". ")[0].rstrip(".")
    # Without this word a reader would have to know that there is no rule for all operations.
    operation["security"] = [one for one in operation.get("security", []) if one]
    _without(operation, known.without)
    _add_examples(operation)
    for answer in operation["responses"].values():
        answer["headers"] = _header_references(("X-Request-Id", *known.headers))
        answer["description"] = answer.get("description") or "As asked."
    for status, errors in groupby(_errors(known.codes), key=lambda error: error.status):
        operation["responses"][str(status)] = _problem_answer(status, list(errors))


def _without(operation: Json, names: frozenset[str]) -> None:
    kept = [one for one in operation.get("parameters", []) if one["name"] not in names]
    operation.pop("parameters", None)
    if kept:
        operation["parameters"] = kept


def _add_examples(operation: Json) -> None:
    example = EXAMPLES.get(operation["operationId"])
    if example is None:
        return
    for content in operation.get("requestBody", {}).get("content", {}).values():
        content["example"] = example.request
    for answer in operation["responses"].values():
        for content in answer.get("content", {}).values():
            content["example"] = example.answer


def _errors(codes: Iterable[str]) -> list[ErrorCode]:
    wanted = set(codes)
    return [error for error in error_codes() if error.code in wanted]


def _problem_answer(status: int, errors: list[ErrorCode]) -> Json:
    headers = ("X-Request-Id", *_HEADERS_BY_STATUS.get(status, ()))
    return {
        "description": " ".join(f"`{error.code}`: {error.meaning}" for error in errors),
        "headers": _header_references(headers),
        "content": {
            MEDIA_TYPE: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "examples": {error.code: {"value": _problem_example(error)} for error in errors},
            }
        },
    }


def _header_references(names: Iterable[str]) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _problem_example(error: ErrorCode) -> Json:
    example: Json = {
        "type": f"{PROBLEM_BASE}#{error.code}",
        "title": get_status_title(error.status),
        "status": error.status,
        "detail": error.meaning,
        "code": error.code,
        "request_id": "019ab3c5d2e87c41b0e8a1f4c6d20b77",
    }
    if error.field:
        example["errors"] = {error.field: [{"code": error.code, "detail": error.meaning}]}
    return example
