"""Whatever comes back from MoMo: an outcome, and never money that was not named."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.base import OUTCOMES_BY_VERB
from gateways.http import HttpAnswer
from gateways.momo.config import Config
from gateways.momo.mapping import RESULTS
from gateways.momo.requests import build_request
from gateways.momo.responses import read_answer
from gateways.operation import Verb
from gateways.outcome import OutcomeKind
from gateways.psp_urls import PspUrls
from tests.gateways.momo.wallet import OPTIONS, content
from tests.gateways.samples import details, operation

CONFIG = Config.from_settings({**OPTIONS, "api_base": "https://test-payment.momo.vn"})
PSP_URLS = PspUrls(CONFIG.api_base, "momo.vn", "momo")
PAID = details(psp_reference="42")
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=9)
)
ANY = (
    VALUES | st.lists(VALUES, max_size=2) | st.dictionaries(st.text(max_size=9), VALUES, max_size=2)
)
CODES = st.sampled_from([*RESULTS, "5", ""]) | st.integers(-1, 9001)


@pytest.mark.parametrize("verb", [verb for verb in Verb if verb is not Verb.CLOSE])
@settings(max_examples=60, deadline=None)
@given(
    status=st.integers(200, 599),
    changes=st.dictionaries(st.sampled_from([*sorted(content(0)), "transId", "refundTrans"]), ANY),
    code=CODES,
)
def test_is_an_outcome_and_money_only_if_named(
    verb: Verb, status: int, changes: dict[str, object], code: object
) -> None:
    asked = operation(verb, PAID, refund_reference="aa")
    asked = replace(asked, request=build_request(asked, CONFIG))
    body = json.dumps({**content(code), **changes}).encode()
    outcome = read_answer(asked, HttpAnswer(status, {}, body, 1), PSP_URLS)
    assert outcome.kind in OUTCOMES_BY_VERB[verb]
    if outcome.kind in {OutcomeKind.SUCCEEDED, OutcomeKind.AUTHORIZED}:
        assert outcome.money is not None
        assert outcome.reference
        assert status < 300
    if outcome.kind is OutcomeKind.DECLINED:
        assert outcome.failure is not None
