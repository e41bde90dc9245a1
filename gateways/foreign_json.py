"""Safe readers of JSON that a PSP wrote, and the one way in which we write JSON to a PSP.

No reader raises for a member that is missing or of another type: it returns the empty value.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Final, cast

from gateways.operation import Json

# JSON can spell what PostgreSQL cannot store: NUL, and halves of surrogate pairs.
_SUSPECT_ESCAPE: Final = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_ESCAPED_NUL: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def read_json_object(body: bytes) -> Json | None:
    """``body`` as a JSON object that can be stored, or None when it is not one.

    A byte order mark at its start is skipped. A duplicate member makes the object invalid: two
    readers could each use another of the two values.
    """
    try:
        value = json.loads(
            body.decode("utf-8-sig"),
            parse_constant=_refuse_constant,
            parse_float=_read_float,
            object_pairs_hook=_read_unique_members,
        )
        if _SUSPECT_ESCAPE.search(body):
            _require_storable(value)
    except (ValueError, RecursionError):
        return None
    return cast("Json", value) if isinstance(value, dict) else None


def encode_canonical(content: Mapping[str, object]) -> bytes:
    """``content`` as compact UTF-8 JSON with sorted members.

    Sorted, because a stored request has lost its order in a JSONB column, and a repeat must be
    the same bytes.
    """
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def read_text(source: Mapping[str, object], name: str) -> str:
    """The text under ``name``; "" when there is none."""
    value = source.get(name)
    return value if isinstance(value, str) else ""


def read_text_or_number(source: Mapping[str, object], name: str) -> str:
    """The text or the whole number under ``name``, as a text; "" when there is neither."""
    value = source.get(name)
    return str(value) if type(value) in {int, str} else ""


def read_flag(source: Mapping[str, object], name: str) -> bool | None:
    """The boolean under ``name``; None when there is none."""
    value = source.get(name)
    return value if isinstance(value, bool) else None


def read_object(source: Mapping[str, object], name: str) -> Json:
    """The object under ``name``; {} when there is none."""
    value = source.get(name)
    return value if isinstance(value, dict) else {}


def read_objects(source: Mapping[str, object], name: str) -> list[Json]:
    """The objects in the list under ``name``; [] when there is no list."""
    value = source.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def read_first_object(source: Mapping[str, object], name: str) -> Json:
    """The first item of the list under ``name``, if it is an object; else {}."""
    value = source.get(name)
    first = value[0] if isinstance(value, list) and value else None
    return first if isinstance(first, dict) else {}


def drop_empty(facts: Mapping[str, str]) -> dict[str, str]:
    """``facts`` without the empty texts, as ``Outcome.psp_data`` holds them."""
    return {name: value for name, value in facts.items() if value}


def _read_unique_members(pairs: list[tuple[str, object]]) -> Json:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate member")
    return members


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _read_float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"{digits} is too large")
    return value


def _require_storable(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False)
    text.encode()
    if _ESCAPED_NUL.search(text):
        raise ValueError("NUL cannot be stored")
