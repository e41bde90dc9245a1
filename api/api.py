"""The JSON parser and the cursor paging of all API views."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import IO, Any, Final, NoReturn

from django.core.exceptions import ValidationError
from rest_framework.exceptions import NotFound, ParseError
from rest_framework.pagination import CursorPagination
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.versioning import AcceptHeaderVersioning

BODY_BYTES_MAX: Final = 64 * 1024
DEPTH_MAX: Final = 20
DIGITS_MAX: Final = 100


class StrictJSONParser(BaseParser):
    """Accepts RFC 8259 JSON without NaN, repeated fields, lone surrogates or deep nesting."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The object in ``stream``. Raises ParseError saying what is wrong."""
        body = stream.read(BODY_BYTES_MAX + 1)
        if len(body) > BODY_BYTES_MAX:
            raise ParseError(f"The body is larger than {BODY_BYTES_MAX} bytes.")
        value = parse_json(body)
        if not isinstance(value, dict):
            raise ParseError("The body must be a JSON object.")
        return value


def parse_json(body: bytes) -> Any:
    """The value in ``body``. Raises ParseError."""
    try:
        value = json.loads(
            body.decode("utf-8"),
            parse_float=Decimal,
            parse_int=_whole_number,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object_without_repeats,
        )
        _require_storable(value)
    except RecursionError as error:
        raise ParseError("The JSON is nested too deeply.") from error
    except ValueError as error:
        raise ParseError(f"The body is not valid JSON: {error}") from error
    return value


def _whole_number(digits: str) -> int:
    if len(digits) > DIGITS_MAX:
        raise ValueError(f"a number has more than {DIGITS_MAX} digits")
    return int(digits)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _object_without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field appears twice")
    return fields


def _require_storable(value: Any, depth: int = 0) -> None:
    """Refuse NUL and lone surrogates, which PostgreSQL cannot store, and deep nesting."""
    if depth > DEPTH_MAX:
        raise ValueError("nested too deeply")
    if isinstance(value, str):
        if "\x00" in value or (not value.isprintable() and _has_surrogate(value)):
            raise ValueError("a text holds a character that cannot be stored")
    elif isinstance(value, dict):
        for name, inner in value.items():
            _require_storable(name, depth + 1)
            _require_storable(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _require_storable(inner, depth + 1)


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)


class OnlyVersion(AcceptHeaderVersioning):
    """Reads the version from ``Accept``; an error names the supported version."""

    invalid_version_message = "Unknown version. The supported one is application/json; version=1."


class NewestFirstPagination(CursorPagination):
    """``{results, next, previous}``; ``limit`` 1 to 100. A cursor never skips or repeats."""

    ordering = ("-created_at", "-id")
    page_size = 20
    page_size_query_param = "limit"
    max_page_size = 100

    def paginate_queryset(
        self, queryset: Any, request: Request, view: Any = None
    ) -> list[Any] | None:
        """One page. Raises NotFound for a cursor whose values do not fit the columns."""
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValueError, ValidationError) as error:
            raise NotFound("Invalid cursor") from error

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The page as JSON Schema."""
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "properties": {"results": schema, "next": link, "previous": link},
            "required": ["results", "next", "previous"],
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """``cursor`` and ``limit`` as OpenAPI describes them."""
        limits = {"minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
        return [
            {
                "name": self.cursor_query_param,
                "in": "query",
                "description": "The position of the page, as given in ``next``.",
                "schema": {"type": "string"},
            },
            {
                "name": self.page_size_query_param,
                "in": "query",
                "description": "How many at most.",
                "schema": {"type": "integer", **limits},
            },
        ]

    def get_paginated_response(self, data: Any) -> Response:
        """The page with links to its neighbours."""
        return Response(
            {"results": data, "next": self.get_next_link(), "previous": self.get_previous_link()}
        )
