"""What a call brings, read: its parts, and the texts in its body."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sandbox.paypal.errors import PaypalError, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from sandbox.journal import Json

REQUEST_ID: Final = "PayPal-Request-Id"
REQUEST_ID_MAX: Final = 108


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One call, read."""

    id: str
    path: str
    query: Mapping[str, str]
    body: Any
    raw: bytes
    request_id: str
    full: bool


def read(request: web.Request, raw: bytes) -> Ask:
    """A call's parts. Raises PaypalError for a body that is no JSON, or said to be none."""
    body: Any = {}
    if request.method != "GET":
        # Evidence comes as files, which nobody reads here.
        if request.content_type == "multipart/form-data":
            raw = b""
        # A call without a body needs no type of one: clients send a void so.
        elif raw and request.content_type != "application/json":
            raise PaypalError(415)
        body = read_json(raw or b"{}")
    request_id = request.headers.get(REQUEST_ID, "")
    if len(request_id) > REQUEST_ID_MAX:
        raise invalid("INVALID_STRING_LENGTH", REQUEST_ID)
    return Ask(
        id=request.match_info.get("id", ""),
        path=request.path,
        query=request.query,
        body=body,
        raw=raw,
        request_id=request_id,
        full="return=representation" in request.headers.get("Prefer", ""),
    )


def read_json(raw: bytes) -> Any:
    """A body. Raises PaypalError for what is no JSON, or holds half of a surrogate pair: that can
    be escaped, but stands in no UTF-8, so that it could never be shown again.
    """
    try:
        body = json.loads(raw)
        json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise invalid("MALFORMED_REQUEST_JSON") from error
    return body


def require_object(body: object) -> Json:
    """Raises PaypalError for a body that is no JSON object."""
    if not isinstance(body, dict):
        raise invalid("MALFORMED_REQUEST_JSON")
    return body


def member(body: Json, name: str) -> Json:
    """An optional object of a request, or {}. Raises PaypalError."""
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid("INVALID_PARAMETER_SYNTAX", f"/{name}")
    return value


def flag(body: Json, name: str) -> bool:
    """An optional yes or no of a request, which is no by default. Raises PaypalError."""
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise invalid("INVALID_PARAMETER_SYNTAX", f"/{name}")
    return value


def text(body: Json, name: str, length: int) -> str | None:
    """An optional text of a request. Raises PaypalError."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= length:
        raise invalid("INVALID_STRING_LENGTH", f"/{name}")
    return value
