"""A genuine webhook with one thing changed, for every thing in it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from gateways.webhook import Delivery
from tests.gateways.contract.gateway_case import GatewayCase

Altered = Iterator[tuple[str, Delivery]]


def altered(delivery: Delivery, case: GatewayCase) -> Altered:
    """``delivery`` with one signed value changed, left out, or one byte of its proof changed."""
    yield from _headers(delivery, case)
    yield from _query(delivery)
    yield from _body(delivery, case)


def with_proof_of(theirs: Delivery, mine: Delivery, case: GatewayCase) -> Delivery:
    """The words of ``mine`` under the genuine proof of something else."""
    if case.proofs:
        proofs = {name: theirs.headers[name] for name in case.proofs}
        return replace(mine, headers={**mine.headers, **proofs})
    name = case.proof_member
    if mine.query_string:
        pairs = dict(parse_qsl(mine.query_string)) | {
            name: dict(parse_qsl(theirs.query_string))[name]
        }
        return replace(mine, query_string=urlencode(pairs))
    whole = json.loads(mine.body) | {name: json.loads(theirs.body)[name]}
    return replace(mine, body=json.dumps(whole, ensure_ascii=False).encode())


def _headers(delivery: Delivery, case: GatewayCase) -> Altered:
    for name in case.proofs:
        # One header may hold a time and several signatures, of which one good one is enough.
        first, *rest = delivery.headers[name].split(",")
        for made in ([other(first), *rest], [first, *map(other, rest)] if rest else [""]):
            headers = {**delivery.headers, name: ",".join(made)}
            yield f"{name}={headers[name][-8:]}", replace(delivery, headers=headers)


def _query(delivery: Delivery) -> Altered:
    pairs = parse_qsl(delivery.query_string, keep_blank_values=True)
    for number, (name, value) in enumerate(pairs):
        rest = [*pairs[:number], *pairs[number + 1 :]]
        changed = [*pairs[:number], (name, other(value)), *pairs[number + 1 :]]
        yield name, replace(delivery, query_string=urlencode(changed))
        yield f"no {name}", replace(delivery, query_string=urlencode(rest))
        yield (
            f"{name} twice",
            replace(delivery, query_string=urlencode([*pairs, (name, other(value))])),
        )


def _body(delivery: Delivery, case: GatewayCase) -> Altered:
    if not delivery.body:
        return
    for path in _leaves(json.loads(delivery.body)):
        if path[0] in case.unsigned:
            continue
        yield ".".join(map(str, path)), replace(delivery, body=_changed(delivery.body, path))


def _leaves(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if not isinstance(node, dict | list):
        yield path
        return
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for name, item in items:
        yield from _leaves(item, (*path, name))


def _changed(body: bytes, path: tuple[str | int, ...]) -> bytes:
    whole = json.loads(body)
    holder = whole
    for name in path[:-1]:
        holder = holder[name]
    holder[path[-1]] = other(holder[path[-1]])
    return json.dumps(whole, ensure_ascii=False).encode()


def other(value: Any) -> Any:
    """Something else of the same kind, as near to ``value`` as can be."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str) and value:
        return value[:-1] + ("0" if value[-1] != "0" else "1")
    return "x"
