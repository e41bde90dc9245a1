"""Whatever Stripe might say: an outcome, never an exception, and never money out of nowhere."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.http import HttpAnswer
from gateways.operation import Operation, Verb
from gateways.outcome import Outcome, OutcomeKind
from gateways.stripe import requests, responses, webhooks
from gateways.stripe.config import Config
from gateways.webhook import Subject
from money.money import Money
from tests.gateways.mutations import ANY_JSON, FEW, mutated
from tests.gateways.samples import CALL_REFERENCE, REFERENCE, details, operation
from tests.gateways.stripe import psp_samples

KNOWN = details(has_token=True, psp_reference="pi_1", psp_data={"payment_intent": "pi_1"})
PAGE = details(psp_reference="cs_test_1", psp_data={"checkout_session": "cs_test_1"})
PART = Money(40_000, "VND")
STATUSES = st.sampled_from([200, 201, 302, 400, 401, 402, 404, 409, 424, 429, 500, 503])

PAID_PAGE = psp_samples.session(
    "complete", "paid", payment_intent=psp_samples.payment_intent(flow="page")
)
DECLINE = {
    "error": {
        **psp_samples.card_error(),
        "payment_intent": psp_samples.payment_intent(
            "requires_payment_method", last_payment_error=psp_samples.card_error()
        ),
    }
}
ASKED = [
    (operation(Verb.CREATE, KNOWN), psp_samples.payment_intent()),
    (operation(Verb.QUERY, KNOWN), psp_samples.payment_intent()),
    (operation(Verb.QUERY, PAGE), PAID_PAGE),
    (operation(Verb.QUERY, details()), {"data": [psp_samples.payment_intent()], "has_more": False}),
    (operation(Verb.CAPTURE, KNOWN, money=PART), psp_samples.payment_intent()),
    (operation(Verb.CLOSE, PAGE), psp_samples.session("expired")),
    (operation(Verb.REFUND, KNOWN, money=PART), psp_samples.refund()),
    (
        operation(Verb.QUERY_REFUND, KNOWN, money=PART, refund_reference=CALL_REFERENCE),
        {"data": [psp_samples.refund()], "has_more": False},
    ),
    (operation(Verb.CREATE, KNOWN), DECLINE),
]
EVENTS = [
    psp_samples.event("payment_intent.succeeded", psp_samples.payment_intent()),
    psp_samples.event("payment_intent.payment_failed", DECLINE["error"]["payment_intent"]),
    psp_samples.event(
        "checkout.session.completed", psp_samples.session("complete", "paid", payment_intent="pi_1")
    ),
    psp_samples.event("refund.created", psp_samples.refund()),
    psp_samples.event("charge.dispute.closed", psp_samples.dispute("lost")),
    psp_samples.event("charge.succeeded", psp_samples.charge()),
    psp_samples.event("charge.updated", psp_samples.charge()),
]


CONFIG = Config(secret_key="sk_test_1", webhook_secrets=("whsec_1",), live=False)


def read(asked: Operation, content: object, status: int) -> Outcome:
    frozen = replace(asked, request=requests.BUILDERS[asked.verb](asked, CONFIG))
    return responses.read_answer(frozen, HttpAnswer(status, {}, json.dumps(content).encode(), 1))


def assert_owned(outcome: Outcome, reference: str) -> None:
    """Money is only ever reported whole, and only for what we asked about."""
    if outcome.kind in {OutcomeKind.SUCCEEDED, OutcomeKind.AUTHORIZED}:
        assert outcome.money is not None
        assert outcome.reference == reference


class TestAnswers:
    @pytest.mark.parametrize(("asked", "genuine"), ASKED)
    @FEW
    @given(data=st.data(), status=STATUSES)
    def test_that_are_twisted_never_raise_and_never_pay_another(
        self, asked: Operation, genuine: dict[str, Any], data: st.DataObject, status: int
    ) -> None:
        outcome = read(asked, data.draw(mutated(genuine)), status)
        ours = {Verb.REFUND: CALL_REFERENCE, Verb.QUERY_REFUND: CALL_REFERENCE}
        assert_owned(outcome, ours.get(asked.verb, REFERENCE))

    @pytest.mark.parametrize(("asked", "genuine"), ASKED)
    @FEW
    @given(content=ANY_JSON, status=STATUSES)
    def test_that_mean_nothing_say_nothing_final(
        self, asked: Operation, genuine: object, content: Any, status: int
    ) -> None:
        outcome = read(asked, content, status)
        refused = status in {400, 402, 404} and asked.verb in {Verb.CREATE, Verb.REFUND}
        if not refused:
            assert outcome.kind in {OutcomeKind.UNKNOWN, OutcomeKind.NOT_DONE}


class TestEvents:
    @pytest.mark.parametrize("genuine", EVENTS, ids=lambda event: str(event["type"]))
    @FEW
    @given(data=st.data())
    def test_that_are_twisted_never_raise(
        self, genuine: dict[str, Any], data: st.DataObject
    ) -> None:
        content = {**data.draw(mutated(genuine)), "id": "evt_1"}
        notice = webhooks.read(psp_samples.delivery(content), (psp_samples.SECRET,))
        if notice.outcome and notice.subject is Subject.PAYMENT:
            assert_owned(notice.outcome, notice.reference)
