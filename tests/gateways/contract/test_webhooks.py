"""What every gateway must do with its webhooks: believe the genuine, refuse the rest."""

import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateways.base import Gateway
from gateways.webhook import Delivery, WebhookRefused, WebhookResult
from tests.gateways.contract.alterations import altered, with_proof_of
from tests.gateways.contract.conftest import NewPayment
from tests.gateways.contract.gateway_case import PARTIES, GatewayCase
from tests.gateways.contract.payment import Payment
from tests.gateways.contract.reading import LATER, facts_of, is_believed
from tests.sandbox.sandbox_process import SandboxProcess, Shop, eventually

LIES = [pytest.param(case, lie, id=f"{case}-{lie}") for case in PARTIES for lie in case.lies]
NOTHING = Delivery(b"", "", {}, datetime(2026, 11, 22, tzinfo=UTC))
HOUR_S = 3600
# Enough for a request on this machine that should not come.
A_MOMENT_S = 0.3


class TestGenuine:
    def test_are_read_the_same_however_often_and_in_whatever_order(self, payment: Payment) -> None:
        payment.rule(webhook={"copies": 3, "order": "reversed"})
        payment.pay()
        payment.read_webhooks()
        resent = payment.sandbox.control(
            "webhooks/resend", gateway=payment.gateway.name, reference=payment.reference
        )
        said = eventually(lambda: facts_of_all(payment, resent["resent"]), "all of them")
        assert [len(each) for each in said.values()] == [1] * len(said)

    def test_carry_a_number_of_their_own(self, new_payment: NewPayment) -> None:
        one, other = new_payment(), new_payment()
        for payment in (one, other):
            payment.pay()
            payment.read_webhooks()
        assert all(event_id and len(event_id) <= 255 for event_id in facts(one))
        assert not facts(one).keys() & facts(other).keys()

    def test_name_the_payment_by_our_reference_or_by_theirs(self, payment: Payment) -> None:
        paid = payment.pay()
        payment.read_webhooks()
        for notice in payment.notices():
            assert notice.event_type
            assert notice.reference == payment.reference or notice.psp_reference
            assert notice.reference in {"", payment.reference}
        assert payment.read_webhooks().psp_reference == paid.psp_reference

    def test_are_believed_while_a_secret_is_changed(
        self, payment: Payment, case: GatewayCase, sandbox: SandboxProcess
    ) -> None:
        payment.pay()
        payment.read_webhooks()
        changing = case.gateway(sandbox, **case.rotated)
        for delivery in payment.deliveries():
            assert changing.read_webhook(delivery) == payment.gateway.read_webhook(delivery)

    def test_are_not_believed_under_other_credentials(
        self, payment: Payment, case: GatewayCase, sandbox: SandboxProcess
    ) -> None:
        payment.pay()
        payment.read_webhooks()
        stranger = case.gateway(sandbox, **case.strangers)
        for delivery in payment.deliveries():
            with pytest.raises(WebhookRefused):
                stranger.read_webhook(delivery)

    def test_are_the_same_event_or_nothing_when_they_are_replayed(self, payment: Payment) -> None:
        payment.pay()
        payment.read_webhooks()
        for delivery in payment.deliveries():
            (known,) = payment.gateway.read_webhook(delivery)
            late = replace(delivery, received_at=delivery.received_at + LATER)
            try:
                (again,) = payment.gateway.read_webhook(late)
            except WebhookRefused:
                continue
            assert again.event_id == known.event_id


class TestForged:
    @pytest.mark.parametrize("corrupt", ["signature", "body"])
    def test_are_refused(self, payment: Payment, corrupt: str) -> None:
        payment.rule(webhook={"corrupt": corrupt})
        payment.pay()
        for delivery in payment.deliveries():
            with pytest.raises(WebhookRefused) as refused:
                payment.gateway.read_webhook(delivery)
            assert refused.value.reason

    def test_are_refused_whichever_part_was_changed(self, payment: Payment) -> None:
        payment.pay()
        payment.read_webhooks()
        (delivery, *_) = payment.deliveries()
        assert payment.gateway.read_webhook(delivery)
        changed = dict(altered(delivery, payment.case))
        assert len(changed) >= 12
        believed = [name for name, made in changed.items() if is_believed(payment.gateway, made)]
        assert believed == []

    @pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"\xff", b"[" * 9999])
    def test_are_refused_without_a_signature(self, gateway: Gateway, body: bytes) -> None:
        assert not is_believed(gateway, replace(NOTHING, body=body))
        assert not is_believed(gateway, replace(NOTHING, query_string="a=1&a=2"))

    def test_are_refused_with_the_proof_of_another(
        self, new_payment: NewPayment, case: GatewayCase
    ) -> None:
        one, other = new_payment(), new_payment()
        for payment in (one, other):
            payment.pay()
            payment.read_webhooks()
        mine, theirs = one.deliveries()[0], other.deliveries()[0]
        assert not is_believed(one.gateway, with_proof_of(theirs, mine, case))


class TestLies:
    """Under a good signature, so they are read; what they say must not pass for the truth."""

    @pytest.mark.parametrize(("case", "lie"), LIES)
    def test_show_in_what_is_read(self, payment: Payment, lie: str) -> None:
        payment.rule(webhook={"corrupt": lie})
        payment.pay()
        said = [notice.outcome for notice in payment.notices() if notice.outcome]
        assert said
        assert not [each for each in said if payment.agrees(each)]

    def test_would_be_seen(self, payment: Payment) -> None:
        payment.pay()
        assert payment.agrees(payment.read_webhooks())


class TestAnswers:
    @pytest.mark.parametrize("result", WebhookResult)
    def test_exist_for_every_result(self, gateway: Gateway, result: WebhookResult) -> None:
        answer = gateway.answer_webhook(result)
        assert 200 <= answer.status < 600

    @pytest.mark.parametrize("good", [WebhookResult.APPLIED, WebhookResult.REPEATED])
    def test_end_the_gateways_retries_once_it_is_applied(
        self, payment: Payment, shop: Shop, good: WebhookResult
    ) -> None:
        shop.answer = spoken(payment.gateway, WebhookResult.REFUSED)
        payment.pay()
        payment.read_webhooks()
        refused = eventually(lambda: attempts(payment), "an attempt").keys()
        shop.answer = spoken(payment.gateway, good)
        payment.sandbox.control("clock", advance_s=HOUR_S)
        eventually(lambda: all(attempts(payment)[each] >= 2 for each in refused), "a retry")
        payment.sandbox.control("clock", advance_s=30 * 24 * HOUR_S)
        time.sleep(A_MOMENT_S)
        assert {attempts(payment)[each] for each in refused} == {2}


def facts(payment: Payment) -> dict[str, set[str]]:
    return facts_of(payment.notices())


def facts_of_all(payment: Payment, events: int) -> dict[str, set[str]]:
    """The same once so many different events have come; until then nothing."""
    said = facts(payment)
    return said if len(said) >= events else {}


def spoken(gateway: Gateway, result: WebhookResult) -> tuple[int, bytes]:
    answer = gateway.answer_webhook(result)
    return answer.status, answer.body.encode()


def attempts(payment: Payment) -> dict[str, int]:
    """How often the gateway has tried each of its events about a payment."""
    hooks = payment.sandbox.journal(reference=payment.reference)["webhooks"]
    return {hook["event_id"]: len(hook["attempts"]) for hook in hooks if hook["attempts"]}
