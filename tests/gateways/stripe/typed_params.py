"""Check parameters against the SDK's own TypedDicts, which are generated from Stripe's spec.

Their enums are open, so a wrong word in a right place is not found; an unknown, missing or
mistyped parameter is.
"""

import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints

from stripe import RequestOptions, StripeContext, _request_options
from typing_extensions import is_typeddict

_OPTIONS = frozenset(RequestOptions.__annotations__)


def problems(value: object, hint: Any, path: str = "") -> Iterator[str]:
    """What in ``value`` does not fit ``hint``; nothing when all of it does."""
    origin = get_origin(hint)
    if origin in {NotRequired, Required}:
        yield from problems(value, get_args(hint)[0], path)
    elif is_typeddict(hint):
        yield from _typed_dict_problems(value, hint, path)
    elif origin in {Union, types.UnionType}:
        tries = [list(problems(value, each, path)) for each in get_args(hint)]
        yield from [] if [] in tries else tries[0]
    elif origin is Literal:
        yield from [] if value in get_args(hint) else [f"{path}: {value!r} is not one of {hint}"]
    elif origin is list:
        yield from _list_problems(value, get_args(hint)[0], path)
    elif origin is dict:
        yield from [] if isinstance(value, dict) else [f"{path}: no dict"]
    elif type(value) is not hint:
        yield f"{path}: {value!r} is no {hint}"


def _list_problems(value: object, hint: Any, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path}: no list"
        return
    for index, item in enumerate(value):
        yield from problems(item, hint, f"{path}[{index}]")


def _typed_dict_problems(value: object, hint: Any, path: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{path}: no object"
        return
    # The request options that every TypedDict inherits name types of other modules.
    names = {**vars(_request_options), "StripeContext": StripeContext}
    names |= vars(sys.modules[hint.__module__])
    hints = get_type_hints(hint, names, include_extras=True)
    for name, item in value.items():
        if name not in hints or name in _OPTIONS:
            yield f"{path}.{name}: unknown"
        else:
            yield from problems(item, hints[name], f"{path}.{name}")
    for name in hint.__required_keys__ - value.keys():
        if get_origin(hints[name]) is not NotRequired:
            yield f"{path}.{name}: missing"
