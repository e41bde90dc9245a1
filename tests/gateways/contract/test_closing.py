"""What every gateway must do that can end an unpaid page: end it for good, or tell the truth."""

import pytest

from gateways.operation import UnsupportedOperation, Verb
from gateways.outcome import FailureCode, OutcomeKind
from tests.gateways.contract.faults import BEFORE, FAULTS, NONSENSE, OPEN, SLOW
from tests.gateways.contract.party import CLOSERS, PARTIES, Party
from tests.gateways.contract.payment import Payment
from tests.gateways.contract.relay import Relay
from tests.sandbox.player import Player

# A page that is ended has run out, an intent that is ended was cancelled.
ENDED = {FailureCode.CANCELLED, FailureCode.EXPIRED}


@pytest.fixture
def unpaid(payment: Payment) -> Payment:
    """A payment that the shopper has not finished."""
    payment.rule(decision="abandon")
    payment.create()
    return payment


def require_closed(payment: Payment) -> None:
    """Query and book agree that it has ended, and nobody can pay any more."""
    asked = payment.ask(Verb.QUERY)
    assert asked.kind is OutcomeKind.DECLINED
    assert asked.failure is not None
    assert asked.failure.code in ENDED
    url = f"{payment.player.url}/control/decide"
    late = {
        "gateway": payment.gateway.name,
        "reference": payment.reference,
        "decision": "approve",
    }
    assert payment.player.http.post(url, json=late, timeout=10).status_code == 400
    assert payment.captured == 0


@pytest.mark.parametrize("party", CLOSERS, ids=str)
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

    def test_is_told_the_truth_when_it_was_paid(self, unpaid: Payment, party: Party) -> None:
        late = unpaid.operation(Verb.CLOSE)
        unpaid.player.control(
            "decide", gateway=unpaid.gateway.name, reference=unpaid.reference, decision="approve"
        )
        assert unpaid.send(late).kind is not OutcomeKind.DECLINED
        paid = unpaid.followed()
        assert (paid.kind, paid.money) == (OutcomeKind.SUCCEEDED, party.total)
        assert unpaid.captured == party.total.minor

    def test_learns_nothing_from_nonsense(
        self, unpaid: Payment, party: Party, player: Player, relay: Relay
    ) -> None:
        wired, asked = party.gateway(player, relay.url), unpaid.operation(Verb.CLOSE)
        for answer in NONSENSE:
            relay.always(answer)
            assert unpaid.send(asked, wired).kind in OPEN


class TestWhatCannotBeClosed:
    @pytest.mark.parametrize("party", [each for each in PARTIES if each not in CLOSERS], ids=str)
    def test_is_refused_with_a_reason(self, unpaid: Payment, party: Party) -> None:
        with pytest.raises(UnsupportedOperation, match="cannot close a page"):
            unpaid.operation(Verb.CLOSE)
        assert unpaid.captured == 0
