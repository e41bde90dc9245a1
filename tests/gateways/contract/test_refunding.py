"""What every gateway must do with money that goes back: give it once, and know how it went."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from gateways.operation import Operation, Verb
from gateways.outcome import Outcome, OutcomeKind
from tests.gateways.contract.conftest import NewPayment
from tests.gateways.contract.faults import AFTER, BEFORE, FAULTS, NONSENSE, OPEN, SLOW
from tests.gateways.contract.gateway_case import FINDERS, HOLDERS, PARTIES, GatewayCase, Turn
from tests.gateways.contract.payment import Payment
from tests.gateways.contract.relay import Relay
from tests.sandbox.sandbox_process import SandboxProcess

# Longer than any gateway here thinks about a slow refund.
A_WHILE: Final = timedelta(minutes=5)

every_finder = pytest.mark.parametrize("case", FINDERS, ids=str)
every_fault = pytest.mark.parametrize("fault", FAULTS)
SLOW_PARTIES: Final = [each for each in PARTIES if each.slow_refunds]
FAILING_PARTIES: Final = [each for each in PARTIES if each.failing_refunds]


def asked_about(payment: Payment, refund: Operation) -> Outcome:
    return payment.send(payment.question(refund))


def paid_by(new_payment: NewPayment, turn: Turn | None) -> Payment:
    """A payment whose refunds go as ``turn`` says."""
    assert turn is not None
    payment = new_payment(token=turn.token)
    payment.pay()
    payment.rule(decision=turn.decision)
    return payment


class TestRefunding:
    def test_gives_a_part_back_once_however_often_it_is_asked(self, payment: Payment) -> None:
        payment.pay()
        asked = payment.refund()
        first, again = payment.send(asked), payment.send(asked)
        assert first.kind is OutcomeKind.SUCCEEDED
        assert (first.money, first.reference) == (payment.case.part, asked.reference)
        assert first.psp_reference not in {"", payment.details.psp_reference}
        assert again.kind is payment.case.refund_again
        assert again.psp_reference in {"", first.psp_reference}
        assert payment.refunded == payment.case.part.minor

    def test_is_written_the_same_every_time(self, payment: Payment) -> None:
        payment.pay()
        asked = payment.refund()
        assert payment.gateway.freeze(asked) == asked.request

    def test_gives_all_of_it_back(self, payment: Payment, case: GatewayCase) -> None:
        payment.pay()
        said = payment.ask(Verb.REFUND, money=case.total, actor="finance")
        assert (said.kind, said.money) == (OutcomeKind.SUCCEEDED, case.total)
        assert payment.refunded == payment.captured == case.total.minor
        assert payment.charge()["status"] == "refunded"

    def test_gives_parts_back_up_to_the_total_and_not_one_more(
        self, payment: Payment, case: GatewayCase
    ) -> None:
        payment.pay()
        parts = case.total.minor // case.part.minor
        said = [payment.send(payment.refund()) for _ in range(parts)]
        assert {each.kind for each in said} == {OutcomeKind.SUCCEEDED}
        assert len({each.psp_reference for each in said}) == parts
        one_more = payment.send(payment.refund())
        assert one_more.kind is OutcomeKind.DECLINED
        assert one_more.failure is not None
        assert one_more.failure.gateway_code
        assert payment.refunded == case.total.minor

    @every_fault
    def test_gives_it_back_once_whatever_breaks(self, payment: Payment, fault: str) -> None:
        payment.pay()
        asked = payment.refund()
        payment.rule(api={"fault": fault})
        assert payment.send(asked).kind in OPEN
        payment.rule()
        said = [payment.send(asked).kind for _ in range(2)]
        assert OutcomeKind.DECLINED not in said
        if fault in BEFORE:
            assert said[0] is OutcomeKind.SUCCEEDED
        assert payment.refunded == payment.case.part.minor

    def test_waits_for_a_slow_answer(self, payment: Payment) -> None:
        payment.pay()
        payment.rule(api={"fault": SLOW})
        assert payment.send(payment.refund()).kind is OutcomeKind.SUCCEEDED

    def test_refuses_to_give_back_more_than_is_left(
        self, payment: Payment, case: GatewayCase
    ) -> None:
        payment.pay()
        payment.send(payment.refund())
        too_much = payment.ask(Verb.REFUND, money=case.total, actor="finance")
        assert too_much.kind is OutcomeKind.DECLINED
        assert too_much.failure is not None
        assert payment.refunded == case.part.minor

    def test_still_knows_that_it_was_paid(self, payment: Payment, case: GatewayCase) -> None:
        payment.pay()
        for money in (case.part, case.total - case.part):
            payment.ask(Verb.REFUND, money=money, actor="finance")
            asked = payment.ask(Verb.QUERY)
            assert (asked.kind, asked.money) == (OutcomeKind.SUCCEEDED, case.total)

    @pytest.mark.parametrize("case", HOLDERS, ids=str)
    def test_gives_nothing_back_that_is_only_held(self, hold: Payment, case: GatewayCase) -> None:
        held = hold.hold()
        # Where there is no capture's id to refund by, the hold's id is tried in its place.
        hold_id = held.psp_data.get("authorization_id", "")
        data = {"capture_id": hold_id, **hold.details.psp_data}
        hold.details = replace(hold.details, psp_data=data)
        said = hold.ask(Verb.REFUND, money=case.part, actor="finance")
        assert said.kind is not OutcomeKind.SUCCEEDED
        assert (hold.captured, hold.refunded) == (0, 0)
        assert hold.ask(Verb.QUERY).kind is OutcomeKind.AUTHORIZED


class TestAnswersToARefund:
    def test_about_another_refund_are_not_believed(
        self, new_payment: NewPayment, case: GatewayCase, sandbox: SandboxProcess, relay: Relay
    ) -> None:
        one, other = new_payment(), new_payment()
        wired = case.gateway(sandbox, relay.url)
        for payment in (one, other):
            payment.pay()
        assert one.send(one.refund(), wired).kind is OutcomeKind.SUCCEEDED
        relay.always(relay.bodies[-1])
        assert other.send(other.refund(), wired).kind is OutcomeKind.UNKNOWN

    def test_in_words_that_it_was_not_taught_are_unknown(
        self, payment: Payment, case: GatewayCase, sandbox: SandboxProcess, relay: Relay
    ) -> None:
        payment.pay()
        relay.twist = case.renamed
        said = payment.send(payment.refund(), case.gateway(sandbox, relay.url))
        assert said.kind is OutcomeKind.UNKNOWN
        assert relay.twist(relay.bodies[-1]) != relay.bodies[-1]

    def test_about_another_amount_are_reported_as_they_are(
        self, payment: Payment, case: GatewayCase, sandbox: SandboxProcess, relay: Relay
    ) -> None:
        payment.pay()
        relay.twist = lambda body: body.replace(*case.amounts)
        asked = payment.operation(Verb.REFUND, money=case.total, actor="finance")
        said = payment.send(asked, case.gateway(sandbox, relay.url))
        assert relay.twist(relay.bodies[-1]) != relay.bodies[-1]
        assert said.kind is OutcomeKind.UNKNOWN or said.money != case.total


@every_finder
class TestAskingAboutARefund:
    def test_finds_each_by_our_reference_and_by_theirs(
        self, payment: Payment, case: GatewayCase
    ) -> None:
        payment.pay()
        for asked in (payment.refund(), payment.refund()):
            made = payment.send(asked)
            by_ours = asked_about(payment, asked)
            by_theirs = payment.send(
                payment.question(asked, refund_psp_reference=made.psp_reference)
            )
            for said in (by_ours, by_theirs):
                assert (said.kind, said.money) == (OutcomeKind.SUCCEEDED, case.part)
                assert (said.reference, said.psp_reference) == (asked.reference, made.psp_reference)

    @pytest.mark.parametrize("fault", AFTER)
    def test_finds_the_one_whose_answer_was_lost(self, payment: Payment, fault: str) -> None:
        payment.pay()
        asked = payment.refund()
        payment.rule(api={"fault": fault})
        assert payment.send(asked).kind in OPEN
        payment.rule()
        said = asked_about(payment, asked)
        assert (said.kind, said.money) == (OutcomeKind.SUCCEEDED, payment.case.part)
        assert said.psp_reference

    def test_finds_none_that_was_never_made(self, payment: Payment) -> None:
        payment.pay()
        unmade = payment.refund()
        assert asked_about(payment, unmade).kind is OutcomeKind.UNPAID
        payment.send(payment.refund())
        assert asked_about(payment, unmade).kind is OutcomeKind.UNPAID
        assert payment.refunded == payment.case.part.minor

    @every_fault
    def test_knows_nothing_after_a_fault_and_the_truth_afterwards(
        self, payment: Payment, fault: str
    ) -> None:
        payment.pay()
        asked = payment.refund()
        payment.send(asked)
        payment.rule(api={"fault": fault})
        assert asked_about(payment, asked).kind in OPEN
        payment.rule()
        assert asked_about(payment, asked).kind is OutcomeKind.SUCCEEDED

    def test_believes_no_answer_about_another(
        self, payment: Payment, case: GatewayCase, sandbox: SandboxProcess, relay: Relay
    ) -> None:
        wired = case.gateway(sandbox, relay.url)
        payment.pay()
        one, other = payment.refund(), payment.refund()
        made = [payment.send(each) for each in (one, other)]
        ids = [said.psp_reference for said in made]
        payment.send(payment.question(one, refund_psp_reference=ids[0]), wired)
        relay.always(relay.bodies[-1])
        said = payment.send(payment.question(other, refund_psp_reference=ids[1]), wired)
        assert said.kind is OutcomeKind.UNKNOWN

    def test_knows_no_word_that_it_was_not_taught(
        self, payment: Payment, case: GatewayCase, sandbox: SandboxProcess, relay: Relay
    ) -> None:
        payment.pay()
        asked = payment.refund()
        payment.send(asked)
        relay.twist = case.renamed
        said = payment.send(payment.question(asked), case.gateway(sandbox, relay.url))
        assert said.kind is OutcomeKind.UNKNOWN
        assert relay.twist(relay.bodies[-1]) != relay.bodies[-1]

    def test_learns_nothing_from_nonsense(
        self, payment: Payment, case: GatewayCase, sandbox: SandboxProcess, relay: Relay
    ) -> None:
        wired = case.gateway(sandbox, relay.url)
        payment.pay()
        asked = payment.refund()
        payment.send(asked)
        for answer in NONSENSE:
            relay.always(answer)
            assert payment.send(payment.question(asked), wired).kind in OPEN


class TestAskingInVain:
    @pytest.mark.parametrize("case", [each for each in PARTIES if each not in FINDERS], ids=str)
    def test_takes_the_payment_for_no_refund(self, payment: Payment) -> None:
        payment.pay()
        asked = payment.refund()
        assert asked_about(payment, asked).kind is OutcomeKind.UNKNOWN
        payment.send(asked)
        assert asked_about(payment, asked).kind is OutcomeKind.UNKNOWN


class TestLaterStatuses:
    """What a refund says first may not be what becomes of it."""

    @pytest.mark.parametrize("case", SLOW_PARTIES, ids=str)
    def test_of_a_slow_refund_end_in_success(
        self, new_payment: NewPayment, case: GatewayCase
    ) -> None:
        payment = paid_by(new_payment, case.slow_refunds)
        asked = payment.refund()
        assert payment.send(asked).kind is OutcomeKind.PENDING
        assert asked_about(payment, asked).kind is OutcomeKind.PENDING
        payment.rule()
        payment.later(A_WHILE)
        said = asked_about(payment, asked)
        assert said.kind is OutcomeKind.SUCCEEDED
        assert said.money == case.part
        assert payment.refunded == case.part.minor

    @pytest.mark.parametrize("case", FAILING_PARTIES, ids=str)
    def test_of_a_failing_refund_end_in_a_no_with_a_reason(
        self, new_payment: NewPayment, case: GatewayCase
    ) -> None:
        payment = paid_by(new_payment, case.failing_refunds)
        asked = payment.refund()
        first = payment.send(asked)
        assert first.kind in {OutcomeKind.SUCCEEDED, OutcomeKind.PENDING}
        assert payment.refunded == case.part.minor
        payment.rule()
        payment.later(A_WHILE)
        said = asked_about(payment, asked)
        assert said.kind is OutcomeKind.DECLINED
        assert said.psp_reference == first.psp_reference
        assert said.failure is not None
        assert said.failure.gateway_code
        assert payment.refunded == 0

    @pytest.mark.parametrize("case", FAILING_PARTIES, ids=str)
    def test_of_a_failed_refund_leave_the_money_to_be_given_back_anew(
        self, new_payment: NewPayment, case: GatewayCase
    ) -> None:
        payment = paid_by(new_payment, case.failing_refunds)
        payment.send(payment.refund())
        payment.rule()
        payment.later(A_WHILE)
        assert payment.refunded == 0
        whole = payment.ask(Verb.REFUND, money=case.total, actor="finance")
        assert whole.kind is OutcomeKind.SUCCEEDED
        assert payment.refunded == case.total.minor
