"""What every gateway must do that can end an unpaid page: end it for good, or tell the truth."""

import pytest

from gateways.operation import UnsupportedOperation, Verb
from gateways.outcome import FailureCode, OutcomeKind
from tests.gateways.contract.faults import BEFORE, FAULTS, NONSENSE, OPEN, SLOW
from tests.gateways.contract.gateway_case import CLOSERS, PARTIES, GatewayCase
from tests.gateways.contract.payment import Payment
from tests.gateways.contract.relay import Relay
from tests.sandbox.sandbox_process import SandboxProcess

# A page that is ended has run out, an intent that is ended was cancelled.
ENDED = {FailureCode.CANCELLED, FailureCode.EXPIRED}


@pytest.fixture
def unpaid(payment: Payment) -> Payment:
    """A payment that the shopper has not finished."""
    payment.rule(decision="abandon")
    payment.create()
    return payment


def require_closed(payment: Payment) -> None:
    """Query and journal agree that it has ended, and nobody can pay any more."""
    asked = payment.ask(Verb.QUERY)
    assert asked.kind is OutcomeKind.DECLINED
    assert asked.failure is not None
    assert asked.failure.code in ENDED
    url = f"{payment.sandbox.url}/control/decide"
    late = {
        "gateway": payment.gateway.name,
        "reference": payment.reference,
        "decision": "approve",
    }
    assert payment.sandbox.http.post(url, json=late, timeout=10).status_code == 400
    assert payment.captured == 0


@pytest.mark.parametrize("case", CLOSERS, ids=str)
class TestClosing:
    def test_is_final_however_often_it_is_asked(self, unpaid: Payment) -> None:
        asked = unpaid.operation(Verb.CLOSE)
        for said in (unpaid.send(asked), unpaid.send(asked)):
            assert said.kind is OutcomeKind.DECLINED
            assert said.failure is not None
            assert said.failure.code in ENDED
        require_closed(unpaid)

    @pytest.mark.parametrize("fault", FAULTS)
    def test_is_done_whatever_breaks(self, unpaid: Payment, fault: str) -> None:
        asked = unpaid.operation(Verb.CLOSE)
        unpaid.rule(decision="abandon", api={"fault": fault})
        assert unpaid.send(asked).kind in OPEN
        unpaid.rule(decision="abandon")
        if fault in BEFORE:
            assert unpaid.charge()["status"] == "open"
        assert unpaid.insisted(asked).kind is OutcomeKind.DECLINED
        require_closed(unpaid)

    def test_waits_for_a_slow_answer(self, unpaid: Payment) -> None:
        unpaid.rule(decision="abandon", api={"fault": SLOW})
        assert unpaid.ask(Verb.CLOSE).kind is OutcomeKind.DECLINED

    def test_is_told_the_truth_when_it_was_paid(self, unpaid: Payment, case: GatewayCase) -> None:
        late = unpaid.operation(Verb.CLOSE)
        unpaid.sandbox.control(
            "decide", gateway=unpaid.gateway.name, reference=unpaid.reference, decision="approve"
        )
        assert unpaid.send(late).kind is not OutcomeKind.DECLINED
        paid = unpaid.followed()
        assert (paid.kind, paid.money) == (OutcomeKind.SUCCEEDED, case.total)
        assert unpaid.captured == case.total.minor

    def test_learns_nothing_from_nonsense(
        self, unpaid: Payment, case: GatewayCase, sandbox: SandboxProcess, relay: Relay
    ) -> None:
        wired, asked = case.gateway(sandbox, relay.url), unpaid.operation(Verb.CLOSE)
        for answer in NONSENSE:
            relay.always(answer)
            assert unpaid.send(asked, wired).kind in OPEN


class TestWhatCannotBeClosed:
    @pytest.mark.parametrize("case", [each for each in PARTIES if each not in CLOSERS], ids=str)
    def test_is_refused_with_a_reason(self, unpaid: Payment, case: GatewayCase) -> None:
        with pytest.raises(UnsupportedOperation, match="cannot close a page"):
            unpaid.operation(Verb.CLOSE)
        assert unpaid.captured == 0
