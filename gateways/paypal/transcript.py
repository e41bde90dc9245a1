"""What is kept of an exchange with PayPal: no person, and the number that its support asks for."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, cast

from gateways.exchange import record_exchange
from gateways.http import HttpAnswer
from gateways.operation import Json
from gateways.outcome import Exchange

# Who paid, and where they live, is nobody's business in our books.
_PERSONAL: Final = frozenset({"payer", "payment_source", "shipping"})
_PERSONAL_DEPTH_MAX: Final = 8
# An error has it in its body, too; every other answer only here.
_DEBUG_HEADER: Final = "paypal-debug-id"
_DEBUG_LENGTH_MAX: Final = 64


def transcript(request: Mapping[str, object], answer: HttpAnswer) -> Exchange:
    """The exchange, redacted."""
    exchange = record_exchange(request, answer)
    debug_id = answer.headers.get(_DEBUG_HEADER, "")[:_DEBUG_LENGTH_MAX]
    named = {"debug_id": debug_id} if debug_id else {}
    return replace(exchange, response=named | cast("Json", _pruned(exchange.response, 0)))


def _pruned(value: object, depth: int) -> object:
    if depth > _PERSONAL_DEPTH_MAX:
        return None
    if isinstance(value, dict):
        return {
            name: _pruned(item, depth + 1) for name, item in value.items() if name not in _PERSONAL
        }
    return [_pruned(item, depth + 1) for item in value] if isinstance(value, list) else value
