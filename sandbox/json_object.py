"""The JSON object of a request, as a gateway's front reads it before anything else looks at it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.journal import Json


def read_object(raw: bytes) -> Json:
    """The members of a JSON object; anything else reads as empty, which is malformed.

    Half of a surrogate pair can be written as an escape, but in no UTF-8: a body that holds one
    could be neither signed nor answered.
    """
    try:
        body: Any = json.loads(raw)
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
