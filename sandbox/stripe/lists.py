"""Reading many objects: pages, filters, expansion and search."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from sandbox.stripe.attempts import card_shown
from sandbox.stripe.cards import card_for
from sandbox.stripe.errors import StripeError, bad_value, no_such
from sandbox.stripe.objects import API_VERSION, list_object
from sandbox.stripe.params import need, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sandbox.journal import Json
    from sandbox.stripe.store import Store

LIMIT_DEFAULT: Final = 10
LIMIT_MAX: Final = 100
EXPAND_DEPTH_MAX: Final = 4
TYPES_MAX: Final = 20
# Search lags behind: what was made just now is not found yet.
SEARCH_LAG_S: Final = 2

# Members that hold the id of another object, and its table; ``source`` tells by its prefix.
LINKS: Final = {
    "latest_charge": "charges",
    "charge": "charges",
    "balance_transaction": "transactions",
    "failure_balance_transaction": "transactions",
    "payment_intent": "payment_intents",
    "customer": "customers",
}
SOURCES: Final = {"ch": "charges", "re": "refunds", "du": "disputes", "po": "payouts"}
CLAUSE: Final = re.compile(
    r"""-?\b\w+(?:\[(?:'[^']*'|"[^"]*")\])?\s*(?::|~|>=|<=|>|<)\s*(?:'[^']*'|"[^"]*"|\d+|null\b)"""
)
PARTS: Final = re.compile(r"(-?)(\w+)(?:\[(.+?)\])?\s*(:|~|>=|<=|>|<)\s*(.+)", re.DOTALL)


class Lists:
    """Answers of list and search endpoints."""

    def __init__(self, store: Store) -> None:
        """Reads the store; changes nothing."""
        self._store = store

    def page(
        self, table: str, url: str, params: Json, wanted: Callable[[Json], bool] | None = None
    ) -> Json:
        """One page, newest first, of the records that fit the filters."""
        limit = read_limit(params)
        created = in_range(params.get("created"))
        found = (
            record
            for record in self._after(table, params)
            if created(record["created"]) and (wanted is None or wanted(record))
        )
        rows = list(islice(found, limit + 1))
        data = [self.shown(table, record) for record in rows[:limit]]
        if params.get("ending_before"):
            data.reverse()
        return list_object(url, data, has_more=len(rows) > limit)

    def shown(self, table: str, record: Json) -> Json:
        """An object as the API gives it; events are put together when they are read."""
        return (
            event_object(self._store, record)
            if table == "events"
            else self._store.shown(table, record)
        )

    def search(self, table: str, params: Json) -> Json:
        """``GET /v1/payment_intents/search`` and ``GET /v1/charges/search``."""
        matches = read_query(need(params, "query"))
        newest = self._store.now - SEARCH_LAG_S
        found = [
            self._store.shown(table, record)
            for record in reversed(self._store.table(table).values())
            if record["created"] <= newest and matches(record)
        ]
        limit, offset = read_limit(params), max(0, whole("page", params.get("page") or "0"))
        more = len(found) > offset + limit
        return {
            "object": "search_result",
            "url": f"/v1/{table}/search",
            "has_more": more,
            "data": found[offset : offset + limit],
            "next_page": str(offset + limit) if more else None,
        }

    def expand(self, answer: Json, paths: list[str]) -> Json:
        """Put whole objects in the place of ids along each path. Raises StripeError."""
        for path in paths:
            parts = path.split(".")
            if len(parts) > EXPAND_DEPTH_MAX:
                raise bad_value("expand", f"You cannot expand more than {EXPAND_DEPTH_MAX} levels.")
            if answer.get("object") in {"list", "search_result"}:
                if parts[0] != "data":
                    raise cannot_expand(path)
                answer["data"] = [self._expand(item, parts[1:], path) for item in answer["data"]]
            else:
                answer = self._expand(answer, parts, path)
        return answer

    def _expand(self, item: Json, parts: list[str], path: str) -> Json:
        if not parts:
            return item
        name, rest = parts[0], parts[1:]
        if name == "line_items" and item.get("object") == "checkout.session":
            return item | {"line_items": self.line_items(item["id"], {})}
        if name == "refunds" and item.get("object") == "charge":
            return item | {"refunds": self._refunds(item["id"])}
        if name == "payment_method" and item.get(name):
            return item | {name: self.payment_method(item)}
        if name not in item:
            raise cannot_expand(path)
        value = item[name]
        table = LINKS.get(name) or SOURCES.get(str(value).partition("_")[0])
        if isinstance(value, str) and table is not None:
            value = self._store.shown(table, self._store.get(table, value))
        return item | {name: self._expand(value, rest, path) if isinstance(value, dict) else value}

    def line_items(self, session_id: str, params: Json) -> Json:
        """One page of a session's lines, in the order in which they were given."""
        lines: list[Json] = self._store.get("sessions", session_id)["_lines"]
        limit = read_limit(params)
        url = f"/v1/checkout/sessions/{session_id}/line_items"
        backwards = params.get("ending_before")
        cursor = backwards or params.get("starting_after")
        rest = list(behind(lines[::-1] if backwards else lines, cursor)) if cursor else lines
        data = rest[:limit]
        return list_object(url, data[::-1] if backwards else data, has_more=len(rest) > limit)

    def payment_method(self, item: Json) -> Json:
        """What a PaymentIntent or a charge was paid with, or is about to be."""
        made = self._store.table("payment_methods").get(item["payment_method"])
        if made is not None:
            return self._store.shown("payment_methods", made)
        source = self._store.table("payment_intents").get(item["id"], {})
        card = card_for(source.get("_card") or "")
        details = (item.get("payment_method_details") or {}).get("card")
        return self._store.shown(
            "payment_methods",
            {
                "id": item["payment_method"],
                "card": details or (card_shown(card) if card else None),
                "created": item["created"],
            },
        )

    def _refunds(self, charge_id: str) -> Json:
        url = f"/v1/charges/{charge_id}/refunds"
        return self.page("refunds", url, {}, lambda refund: bool(refund["charge"] == charge_id))

    def _after(self, table: str, params: Json) -> Iterable[Json]:
        """Records in reading order, from behind the cursor on."""
        records = self._store.table(table)
        backwards = params.get("ending_before")
        order = list(records.values()) if backwards else reversed(records.values())
        cursor = backwards or params.get("starting_after")
        if not cursor:
            return order
        if cursor not in records:
            raise no_such(table, cursor, "ending_before" if backwards else "starting_after")
        return behind(order, cursor)


def behind(records: Iterable[Json], cursor: str) -> Iterable[Json]:
    """The records that come after the one with the cursor's id."""
    passed = iter(records)
    for record in passed:
        if record["id"] == cursor:
            break
    return passed


def event_object(store: Store, event: Json) -> Json:
    """A whole event, with the object as it was when the event was made."""
    data = {"object": store.shown(event["table"], event["record"])}
    if event.get("previous") is not None:
        data["previous_attributes"] = event["previous"]
    return {
        "id": event["id"],
        "object": "event",
        "api_version": API_VERSION,
        "created": event["created"],
        "data": data,
        "livemode": False,
        "pending_webhooks": event.get("pending", 1),
        "request": event["request"],
        "type": event["type"],
    }


def cannot_expand(path: str) -> StripeError:
    """The path leads to nothing that could be expanded."""
    return bad_value("expand", f"This property cannot be expanded ({path}).")


def read_limit(params: Json) -> int:
    """The page size. Raises StripeError."""
    limit = int(params.get("limit", LIMIT_DEFAULT))
    if not 1 <= limit <= LIMIT_MAX:
        raise bad_value(
            "limit", f"limit must be between 1 and {LIMIT_MAX}.", "parameter_invalid_integer"
        )
    return limit


def in_range(bounds: Mapping[str, int] | None) -> Callable[[int], bool]:
    """A test for one number."""
    found = (bounds or {}).items()
    return lambda number: all(COMPARE[sign](number, bound) for sign, bound in found)


COMPARE: Final[dict[str, Callable[[int, int], bool]]] = {
    "": lambda a, b: a == b,
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
}
SEARCHED: Final = ("metadata", "status", "currency", "amount", "created", "customer")
SIGNS: Final = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}


def read_query(query: str) -> Callable[[Json], bool]:
    """A search query: clauses joined by AND or blanks, or all by OR. Raises StripeError."""
    words = CLAUSE.split(query)
    glue = {word.strip().upper() for word in words[1:-1]} - {""}
    if any(word.strip() for word in (words[0], words[-1])) or len(glue) > 1 or glue - {"AND", "OR"}:
        message = f"We were unable to parse your search query: {query}"
        raise StripeError(400, message, param="query")
    tests = [read_clause(match) for match in CLAUSE.finditer(query)]
    meet = any if "OR" in glue else all
    return lambda record: meet(test(record) for test in tests)


def read_clause(clause: re.Match[str]) -> Callable[[Json], bool]:
    """One ``field:value`` or ``metadata['key']:'value'``; ``-`` before it says that it must not
    fit. Raises StripeError.
    """
    parts = PARTS.fullmatch(clause[0])
    assert parts is not None
    minus, name, key, sign, value = parts.groups()
    if (name == "metadata") != bool(key) or name not in SEARCHED:
        raise StripeError(400, f"Field `{name}` is an unsupported search field.", param="query")
    test = compare(sign, value)
    inside = (key or "").strip("'\"")

    def fits(record: Json) -> bool:
        found = record["metadata"].get(inside) if key else record.get(name)
        return test(found) is not bool(minus)

    return fits


def compare(sign: str, value: str) -> Callable[[Any], bool]:
    """A test for one field. Raises StripeError when an order is asked of something unordered."""
    text = value.strip("'\"")
    if sign == ":":
        return lambda found: found is None if value == "null" else str(found) == text
    if sign == "~":
        return lambda found: text.lower() in str(found).lower()
    bound = whole("query", text)
    return lambda found: found is not None and COMPARE[SIGNS[sign]](int(found), bound)


def read_types(params: Json) -> Callable[[str], bool]:
    """The ``type`` and ``types`` filters of the event list. Raises StripeError."""
    types = list(params.get("types", []))
    if len(types) > TYPES_MAX:
        raise bad_value("types", f"You can pass up to {TYPES_MAX} types.")
    if params.get("type"):
        types.append(params["type"])
    return lambda kind: not types or any(fits(kind, pattern) for pattern in types)


def fits(kind: str, pattern: str) -> bool:
    """Whether an event type fits a type or a family such as ``charge.*``."""
    return kind.startswith(pattern[:-1]) if pattern.endswith("*") else kind == pattern
