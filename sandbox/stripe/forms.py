"""Form bodies with nested names:

``a[b][0][c]=1`` as the SDKs write them, ``a[]=1`` as people do.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from sandbox.stripe.errors import StripeError

if TYPE_CHECKING:
    from sandbox.journal import Json

NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
PART = re.compile(r"\[([^\[\]]*)\]")
DEPTH_MAX = 10
FIELDS_MAX = 2000


def decode(text: str) -> Json:
    """The tree of a form or query string; all leaves are text. Raises StripeError."""
    tree: Json = {}
    for name, value in pairs_of(text):
        insert(tree, path_of(name), value)
    return as_object(tree)


def pairs_of(text: str) -> list[tuple[str, str]]:
    """The names and values of a form or query string, in their order. Raises StripeError."""
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict")
    except ValueError as error:
        raise StripeError(400, "Invalid request: the form cannot be decoded.") from error


def path_of(name: str) -> list[str]:
    """The parts of a name; an empty part stands for "the next element"."""
    match = NAME.fullmatch(name)
    if match is None:
        raise StripeError(400, f"Invalid parameter name: {name}", code="parameter_unknown")
    parts = [match[1], *PART.findall(match[2])]
    if len(parts) > DEPTH_MAX:
        raise StripeError(400, f"Parameter is nested too deeply: {name}")
    return parts


def insert(node: Any, path: list[str], value: str) -> None:
    """Put one leaf into the tree. Raises StripeError if a name is both a value and an object."""
    key, rest = path[0], path[1:]
    if isinstance(node, list):
        insert_next(node, path, value)
    elif not isinstance(node, dict) or key == "" or (rest and isinstance(node.get(key), str)):
        raise StripeError(400, f"Invalid value: {key} is given twice in different shapes.")
    elif not rest:
        node[key] = value
    else:
        insert(node.setdefault(key, [] if rest[0] == "" else {}), rest, value)


def insert_next(elements: list[Any], path: list[str], value: str) -> None:
    """Append to a list written with ``[]``; an object ends when one of its leaves comes again."""
    rest = path[1:]
    if path[0] != "":
        raise StripeError(400, "Invalid array: indexes and [] are mixed.")
    if not rest:
        elements.append(value)
        return
    if not elements or not isinstance(elements[-1], dict) or has_leaf(elements[-1], rest):
        elements.append({})
    insert(elements[-1], rest, value)


def has_leaf(node: Any, path: list[str]) -> bool:
    """Whether a leaf stands at the path already."""
    for part in path:
        if not isinstance(node, dict) or part not in node:
            return False
        node = node[part]
    return not isinstance(node, (dict, list))


def lists(node: Any) -> Any:
    """Turn objects whose keys are all indexes into lists, at every depth."""
    if isinstance(node, list):
        return [lists(element) for element in node]
    if not isinstance(node, dict):
        return node
    if node and all(key.isdecimal() for key in node):
        return [lists(node[key]) for key in sorted(node, key=int)]
    return as_object(node)


def as_object(node: Json) -> Json:
    """An object with its lists; metadata has names of the shop's, and one may be a number."""
    return {key: value if key == "metadata" else lists(value) for key, value in node.items()}
