"""Whatever comes back from PayPal: an outcome, and never money that was not named."""

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.http import HttpAnswer
from gateways.operation import Verb
from gateways.outcome import OutcomeKind
from gateways.paypal.config import Config
from gateways.paypal.requests import BUILDERS
from gateways.paypal.responses import read_answer
from gateways.psp_urls import PspUrls
from tests.gateways.paypal.account import OPTIONS, capture, created, hold, order, refusal
from tests.gateways.samples import operation

CONFIG = Config.from_settings({**OPTIONS, "api_base": "https://api-m.sandbox.paypal.com"})
ORDERS = [
    order("COMPLETED", captures=[capture()]),
    order("COMPLETED", authorizations=[hold()], captures=[capture("DECLINED")]),
    order("APPROVED"),
    order("CREATED"),
    order("COMPLETED", captures=[capture()], refunds=[capture(custom_id="aa")]),
    refusal("INSTRUMENT_DECLINED"),
    capture(),
]
VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=9))
ANY = (
    VALUES | st.lists(VALUES, max_size=2) | st.dictionaries(st.text(max_size=9), VALUES, max_size=2)
)


def _places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = node.items() if isinstance(node, dict) else enumerate(node)
    found = [path] if path else []
    for key, value in inner:
        is_node = isinstance(value, dict | list)
        found += _places(value, (*path, key)) if is_node else [(*path, key)]
    return found


def _changed(node: Any, path: tuple[Any, ...], value: object) -> Any:
    made = copy.deepcopy(node)
    at = made
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return made


@pytest.mark.parametrize("verb", [verb for verb in Verb if verb is not Verb.CLOSE])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_is_an_outcome_and_money_only_if_named(verb: Verb, data: st.DataObject) -> None:
    content = data.draw(st.sampled_from(ORDERS))
    content = _changed(content, data.draw(st.sampled_from(_places(content))), data.draw(ANY))
    status = data.draw(st.sampled_from([200, 201, 400, 401, 404, 409, 422, 429, 500]))
    psp_data = {"capture_id": "C1"} | ({"authorization_id": "A1"} if verb is Verb.VOID else {})
    asked = operation(verb, created(psp_data=psp_data), refund_reference="aa")
    asked = replace(asked, request=BUILDERS[asked.verb](asked, CONFIG))
    answer = HttpAnswer(status, {}, json.dumps(content).encode(), 1)
    outcome = read_answer(asked, answer, PspUrls(CONFIG.api_base, "paypal.com"))
    if outcome.kind in {OutcomeKind.SUCCEEDED, OutcomeKind.AUTHORIZED}:
        assert outcome.money is not None
        assert outcome.psp_reference
        assert status < 300
    if outcome.kind is OutcomeKind.DECLINED:
        assert outcome.failure is not None
