"""Whatever VNPAY might say: an outcome, never an exception, and never money out of nowhere."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.http import HttpAnswer
from gateways.operation import Verb
from gateways.outcome import OutcomeKind
from gateways.vnpay import responses, webhooks
from gateways.webhook import WebhookRefused
from money.money import Money
from tests.gateways.mutations import ANY_JSON, FEW, mutated
from tests.gateways.samples import details, operation
from tests.gateways.vnpay.psp_samples import SECRET, ipn_query, query_answer, refund_answer

SECRETS = (SECRET,)
NAMES = ["TxnRef", "Amount", "ResponseCode", "TransactionStatus", "TransactionNo", "TmnCode"]
CODES = st.sampled_from(["00", "01", "02", "04", "05", "07", "09", "24", "51", "91", "94", "99"])
VALUES = st.one_of(CODES, st.from_regex(r"[0-9]{1,13}", fullmatch=True), st.text(max_size=12))


class TestIpns:
    @FEW
    @given(changes=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4))
    def test_with_any_signed_values_pay_only_what_both_words_confirm(
        self, changes: dict[str, str]
    ) -> None:
        outcome = webhooks.read(ipn_query(**changes), SECRETS).outcome
        assert outcome is not None
        if outcome.kind is OutcomeKind.SUCCEEDED:
            assert changes.get("ResponseCode", "00") == "00"
            assert changes.get("TransactionStatus", "00") == "00"
            assert outcome.money is not None

    @FEW
    @given(query_string=st.text(max_size=200))
    def test_of_nobody_are_refused(self, query_string: str) -> None:
        with pytest.raises(WebhookRefused):
            webhooks.read(query_string, SECRETS)


class TestAnswers:
    @pytest.mark.parametrize("verb", [Verb.QUERY, Verb.REFUND, Verb.QUERY_REFUND])
    @FEW
    @given(data=st.data())
    def test_that_are_twisted_never_raise_and_never_pay(
        self, verb: Verb, data: st.DataObject
    ) -> None:
        genuine = refund_answer() if verb is Verb.REFUND else query_answer()
        content = data.draw(st.one_of(mutated(genuine), ANY_JSON))
        asked = operation(verb, details(), money=Money(40_000, "VND"))
        answer = HttpAnswer(200, {}, json.dumps(content).encode(), 1)
        outcome = responses.read_answer(asked, answer, SECRETS)
        if outcome.kind is OutcomeKind.SUCCEEDED:
            # What is left of the signature's fields says the same as before.
            assert isinstance(content, dict)
            assert _signed_facts(content) == _signed_facts(genuine)


def _signed_facts(content: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(content.get(f"vnp_{name}")) for name in NAMES)
