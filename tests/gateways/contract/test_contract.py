"""What every gateway must do, whoever it is: one class, every adapter, against the sandbox.

The kinds follow the meanings in ``outcome.py``. The one rule behind most of them: what may have
happened is never called a no.
"""

from typing import Final

import pytest

from gateways.base import Gateway
from gateways.operation import UnsupportedOperation, Verb
from gateways.outcome import FailureCode, OutcomeKind
from money.money import Money
from tests.gateways import samples
from tests.gateways.contract.conftest import NewPayment
from tests.gateways.contract.faults import FAULTS, NONSENSE, OPEN
from tests.gateways.contract.gateway_case import PARTIES, GatewayCase
from tests.gateways.contract.payment import Payment
from tests.gateways.contract.relay import Relay
from tests.gateways.local_server import refused_url
from tests.sandbox.sandbox_process import SandboxProcess, eventually

# Nothing is paid, and the shopper may still pay.
WAITING: Final = {OutcomeKind.UNPAID, OutcomeKind.PENDING, OutcomeKind.ACTION_REQUIRED}

# Libyan dinars: no gateway of ours takes them.
STRANGE: Final = Money(1_000, "LYD")

DECLINES: Final = [
    pytest.param(case, decision, code, id=f"{case}-{decision}")
    for case in PARTIES
    for decision, code in case.declines.items()
]


class TestEveryGateway:
    def test_says_that_it_is_paid_and_how_much(self, payment: Payment) -> None:
        paid = payment.pay()
        assert paid.kind is OutcomeKind.SUCCEEDED
        assert (paid.money, paid.reference) == (payment.case.total, payment.reference)
        assert paid.psp_reference
        assert paid.account in {"", payment.gateway.account}
        assert paid.live in {None, False}
        assert payment.captured == payment.case.total.minor

    def test_tells_the_same_by_webhook_and_by_query(self, payment: Payment) -> None:
        paid = payment.pay()
        asked, told = payment.ask(Verb.QUERY), payment.read_webhooks()
        assert asked.kind is OutcomeKind.SUCCEEDED
        assert asked.psp_reference == paid.psp_reference
        assert (asked.money, told.money) == (paid.money, paid.money)
        assert (asked.reference, told.reference) == (payment.reference, payment.reference)
        assert asked.psp_reference == told.psp_reference
        # A webhook whose body proves nothing only asks for a query or a capture.
        assert told.kind is OutcomeKind.SUCCEEDED or told.next_verb is not None

    @pytest.mark.parametrize(("case", "decision", "code"), DECLINES)
    def test_is_declined_in_our_words(
        self, payment: Payment, case: GatewayCase, decision: str, code: FailureCode
    ) -> None:
        payment.rule(decision=decision)
        payment.create()
        eventually(lambda: payment.look().failure, "the decline")
        said = payment.outcomes[-1]
        assert said.kind in (WAITING if case.tries_again else {OutcomeKind.DECLINED})
        failures = payment.failures()
        assert {failure.code for failure in failures} <= {code, FailureCode.DECLINED}
        assert code in {failure.code for failure in failures}
        assert all(failure.gateway_code for failure in failures)
        assert payment.captured == 0

    def test_calls_a_payment_that_nobody_decides_open(self, payment: Payment) -> None:
        payment.rule(decision="abandon")
        payment.create()
        assert payment.look().kind in WAITING
        assert payment.captured == 0

    def test_is_paid_by_who_comes_back_late(self, payment: Payment) -> None:
        payment.rule(decision="abandon")
        payment.create()
        assert payment.look().kind in WAITING
        payment.sandbox.control(
            "decide", gateway=payment.gateway.name, reference=payment.reference, decision="approve"
        )
        assert payment.followed().kind is OutcomeKind.SUCCEEDED
        assert payment.captured == payment.case.total.minor

    def test_never_calls_a_payment_that_it_does_not_know_declined(self, payment: Payment) -> None:
        assert payment.look().kind in WAITING | OPEN


class TestCollecting:
    """CREATE (and the capture of an approval) under every fault: charged once, and known."""

    @pytest.mark.parametrize("fault", FAULTS)
    def test_is_charged_once_whatever_breaks(self, payment: Payment, fault: str) -> None:
        asked = payment.operation(Verb.CREATE)
        payment.rule(api={"fault": fault})
        first = payment.send(asked)
        if payment.case.creates_offline:
            assert first.kind is OutcomeKind.ACTION_REQUIRED
        else:
            assert first.kind in OPEN
        payment.rule()
        assert payment.insisted(asked).kind is OutcomeKind.SUCCEEDED
        assert payment.captured == payment.case.total.minor

    @pytest.mark.parametrize("fault", FAULTS)
    def test_is_charged_once_when_every_call_fails_once(self, payment: Payment, fault: str) -> None:
        asked = payment.operation(Verb.CREATE)
        payment.rule(api={"fault": fault}, times=1)
        assert payment.insisted(asked).kind is OutcomeKind.SUCCEEDED
        assert payment.captured == payment.case.total.minor
        assert OutcomeKind.DECLINED not in {said.kind for said in payment.outcomes}

    def test_waits_for_a_slow_answer(self, payment: Payment) -> None:
        payment.rule(api={"fault": "slow:200"})
        assert payment.pay().kind is OutcomeKind.SUCCEEDED

    def test_is_one_payment_however_often_it_is_sent(self, payment: Payment) -> None:
        asked = payment.operation(Verb.CREATE)
        said = [payment.send(asked) for _ in range(3)]
        payment.visit(said[-1])
        assert OutcomeKind.DECLINED not in {each.kind for each in said}
        assert len({each.psp_reference for each in said} - {""}) <= 1
        assert payment.followed().kind is OutcomeKind.SUCCEEDED
        assert payment.captured == payment.case.total.minor


class TestAsking:
    @pytest.mark.parametrize("fault", FAULTS)
    def test_knows_nothing_after_a_fault_and_the_truth_afterwards(
        self, payment: Payment, fault: str
    ) -> None:
        payment.pay()
        payment.rule(api={"fault": fault})
        assert payment.ask(Verb.QUERY).kind in OPEN
        payment.rule()
        assert payment.ask(Verb.QUERY).kind is OutcomeKind.SUCCEEDED

    def test_believes_no_answer_about_another_payment(
        self, new_payment: NewPayment, case: GatewayCase, sandbox: SandboxProcess, relay: Relay
    ) -> None:
        paid, mine = new_payment(), new_payment()
        wired = case.gateway(sandbox, relay.url)
        paid.pay()
        assert paid.ask(Verb.QUERY, wired).kind is OutcomeKind.SUCCEEDED
        mine.rule(decision="abandon")
        mine.create()
        relay.always(relay.bodies[-1])
        assert mine.ask(Verb.QUERY, wired).kind is OutcomeKind.UNKNOWN

    def test_knows_no_word_that_it_was_not_taught(
        self, payment: Payment, case: GatewayCase, sandbox: SandboxProcess, relay: Relay
    ) -> None:
        wired = case.gateway(sandbox, relay.url)
        payment.pay()
        relay.twist = case.renamed
        assert payment.ask(Verb.QUERY, wired).kind is OutcomeKind.UNKNOWN
        assert relay.twist(relay.bodies[-1]) != relay.bodies[-1]

    @pytest.mark.parametrize("answer", NONSENSE)
    def test_learns_nothing_from_nonsense(
        self,
        payment: Payment,
        case: GatewayCase,
        sandbox: SandboxProcess,
        relay: Relay,
        answer: bytes,
    ) -> None:
        wired = case.gateway(sandbox, relay.url)
        payment.pay()
        relay.always(answer)
        for verb in set(case.calls) - {Verb.REFUND}:
            assert payment.ask(verb, wired).kind in OPEN
        assert payment.send(payment.refund(), wired).kind in OPEN

    def test_reports_another_amount_as_it_is_told(
        self, payment: Payment, case: GatewayCase, sandbox: SandboxProcess, relay: Relay
    ) -> None:
        wired = case.gateway(sandbox, relay.url)
        payment.pay()
        relay.twist = lambda body: body.replace(*case.amounts)
        said = payment.ask(Verb.QUERY, wired)
        assert relay.twist(relay.bodies[-1]) != relay.bodies[-1]
        assert said.kind is OutcomeKind.UNKNOWN or said.money != case.total


class TestCredentials:
    def test_are_refused_without_a_word_about_the_payment(
        self, payment: Payment, case: GatewayCase, sandbox: SandboxProcess
    ) -> None:
        stranger = case.gateway(sandbox, **case.strangers)
        if not case.creates_offline:
            assert payment.ask(Verb.CREATE, stranger).kind is OutcomeKind.NOT_DONE
            assert payment.captured == 0
        payment.pay()
        assert payment.ask(Verb.QUERY, stranger).kind is OutcomeKind.NOT_DONE
        assert payment.send(payment.refund(), stranger).kind is OutcomeKind.NOT_DONE
        assert payment.charge()["refunded"] == 0

    def test_reach_nobody_where_nobody_listens(
        self, payment: Payment, case: GatewayCase, sandbox: SandboxProcess
    ) -> None:
        payment.pay()
        alone = case.gateway(sandbox, refused_url())
        for verb in set(case.calls) - {Verb.REFUND}:
            assert payment.ask(verb, alone).kind is OutcomeKind.NOT_DONE
        assert payment.send(payment.refund(), alone).kind is OutcomeKind.NOT_DONE

    def test_are_not_printed_with_the_adapter(self, gateway: Gateway, case: GatewayCase) -> None:
        shown = repr(gateway) + repr(vars(gateway))
        assert not [secret for secret in case.secrets if secret in shown]


class TestFreezing:
    def test_writes_the_same_request_every_time(self, payment: Payment, case: GatewayCase) -> None:
        asked = payment.operation(Verb.CREATE)
        assert payment.gateway.freeze(asked) == asked.request

    def test_refuses_a_currency_that_it_does_not_take(self, gateway: Gateway) -> None:
        assert STRANGE.currency not in gateway.capabilities.limits
        strange = samples.operation(Verb.CREATE, samples.details(money=STRANGE))
        with pytest.raises(UnsupportedOperation):
            gateway.freeze(strange)

    def test_refuses_the_verbs_that_it_does_not_have(self, payment: Payment) -> None:
        able = payment.gateway.capabilities
        payment.create()
        missing = {
            Verb.CAPTURE: able.manual_capture,
            Verb.VOID: able.void,
            Verb.CLOSE: able.close,
            Verb.REFUND: able.refund,
        }
        for verb in [verb for verb, is_able in missing.items() if not is_able]:
            with pytest.raises(UnsupportedOperation):
                payment.operation(verb, money=payment.case.total)
