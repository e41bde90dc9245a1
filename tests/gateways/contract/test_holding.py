"""What every gateway must do that can hold money first: hold, take, let go, and run out, once."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from gateways.operation import CaptureMethod, Operation, UnsupportedOperation, Verb
from gateways.outcome import FailureCode, OutcomeKind
from money.money import Money
from tests.gateways.contract.conftest import NewPayment
from tests.gateways.contract.faults import BEFORE, FAULTS, NONSENSE, OPEN, SLOW
from tests.gateways.contract.gateway_case import HOLDERS, PART_TAKERS, PARTIES, GatewayCase
from tests.gateways.contract.payment import Payment
from tests.gateways.contract.relay import Relay
from tests.gateways.local_server import refused_url
from tests.sandbox.sandbox_process import SandboxProcess

HOUR: Final = timedelta(hours=1)
# Both ways to end a hold.
ENDS: Final = (Verb.CAPTURE, Verb.VOID)
# PayPal is certain of the money for three days; a hold is good for longer.
AFTER_HONOUR: Final = timedelta(days=5)

every_holder = pytest.mark.parametrize("case", HOLDERS, ids=str)
every_part_taker = pytest.mark.parametrize("case", PART_TAKERS, ids=str)
every_fault = pytest.mark.parametrize("fault", FAULTS)


def ending(hold: Payment, verb: Verb) -> Operation:
    """The capture of all of a hold, or its release, ready to be sent."""
    return hold.take() if verb is Verb.CAPTURE else hold.operation(verb)


def require_taken(hold: Payment, money: Money) -> None:
    """Query and journal agree that exactly ``money`` was taken."""
    asked = hold.ask(Verb.QUERY)
    assert (asked.kind, asked.money) == (OutcomeKind.SUCCEEDED, money)
    assert asked.reference in {"", hold.reference}
    assert (hold.captured, hold.charge()["status"]) == (money.minor, "captured")


def require_released(hold: Payment) -> None:
    """Query and journal agree that nothing was taken, and nothing is held."""
    asked = hold.ask(Verb.QUERY)
    assert asked.kind is OutcomeKind.DECLINED
    assert asked.failure is not None
    assert (hold.captured, hold.charge()["status"]) == (0, "voided")


def require_held(hold: Payment) -> None:
    """Query and journal agree that the money still waits."""
    asked = hold.ask(Verb.QUERY)
    assert (asked.kind, asked.money) == (OutcomeKind.AUTHORIZED, hold.case.total)
    assert (hold.captured, hold.charge()["status"]) == (0, "authorized")


@every_holder
class TestHolding:
    def test_says_that_it_is_held_and_how_much(self, hold: Payment) -> None:
        held = hold.hold()
        assert (held.money, held.reference) == (hold.case.total, hold.reference)
        assert held.psp_reference
        assert held.account in {"", hold.gateway.account}
        assert held.live in {None, False}
        require_held(hold)

    @every_fault
    def test_is_held_once_whatever_breaks(self, hold: Payment, fault: str) -> None:
        asked = hold.operation(Verb.CREATE)
        hold.rule(api={"fault": fault})
        assert hold.send(asked).kind in OPEN
        hold.rule()
        assert hold.insisted(asked).kind is OutcomeKind.AUTHORIZED
        require_held(hold)

    @every_fault
    def test_is_held_once_when_every_call_fails_once(self, hold: Payment, fault: str) -> None:
        asked = hold.operation(Verb.CREATE)
        hold.rule(api={"fault": fault}, times=1)
        assert hold.insisted(asked).kind is OutcomeKind.AUTHORIZED
        said = {each.kind for each in hold.outcomes}
        assert not said & {OutcomeKind.DECLINED, OutcomeKind.SUCCEEDED}
        # The first question is one of the calls that fail.
        assert hold.followed().kind is OutcomeKind.AUTHORIZED
        require_held(hold)

    def test_is_no_payment_however_often_it_is_looked_at(self, hold: Payment) -> None:
        hold.hold()
        assert {hold.look().kind for _ in range(3)} == {OutcomeKind.AUTHORIZED}
        require_held(hold)

    def test_knows_no_word_that_it_was_not_taught(
        self, hold: Payment, case: GatewayCase, sandbox: SandboxProcess, relay: Relay
    ) -> None:
        hold.hold()
        relay.twist = case.renamed
        assert hold.ask(Verb.QUERY, case.gateway(sandbox, relay.url)).kind is OutcomeKind.UNKNOWN
        assert relay.twist(relay.bodies[-1]) != relay.bodies[-1]


@every_holder
class TestTaking:
    def test_takes_all_of_it_once_however_often_it_is_asked(self, hold: Payment) -> None:
        hold.hold()
        asked = hold.take()
        first, again = hold.send(asked), hold.send(asked)
        for said in (first, again):
            assert (said.kind, said.money) == (OutcomeKind.SUCCEEDED, hold.case.total)
            assert said.psp_reference == hold.details.psp_reference
        require_taken(hold, hold.case.total)

    @every_fault
    def test_takes_it_once_whatever_breaks(self, hold: Payment, fault: str) -> None:
        hold.hold()
        asked = hold.take()
        hold.rule(api={"fault": fault})
        assert hold.send(asked).kind in OPEN
        hold.rule()
        if fault in BEFORE:
            assert hold.captured == 0
        assert hold.insisted(asked).kind is OutcomeKind.SUCCEEDED
        assert OutcomeKind.DECLINED not in {said.kind for said in hold.outcomes}
        require_taken(hold, hold.case.total)

    def test_takes_it_once_under_two_keys(self, hold: Payment) -> None:
        hold.hold()
        one, other = hold.take(), hold.take()
        assert hold.send(one).kind is OutcomeKind.SUCCEEDED
        assert hold.send(other).kind is not OutcomeKind.DECLINED
        require_taken(hold, hold.case.total)

    def test_never_takes_more_than_is_held(self, hold: Payment, case: GatewayCase) -> None:
        hold.hold()
        more = Money(case.total.minor + 100, case.total.currency)
        try:
            asked = hold.take(more)
        except UnsupportedOperation:
            return
        assert hold.send(asked).kind in OPEN | {OutcomeKind.AUTHORIZED, OutcomeKind.PENDING}
        require_held(hold)

    def test_is_told_the_truth_when_it_was_let_go(self, hold: Payment) -> None:
        hold.hold()
        late = hold.take()
        hold.ask(Verb.VOID)
        assert hold.send(late).kind is not OutcomeKind.SUCCEEDED
        require_released(hold)

    def test_is_told_the_truth_when_it_has_run_out(self, hold: Payment, case: GatewayCase) -> None:
        hold.hold()
        hold.later(case.hold_life + HOUR)
        assert hold.send(hold.take()).kind is not OutcomeKind.SUCCEEDED
        require_released(hold)

    def test_is_possible_days_later(self, hold: Payment) -> None:
        hold.hold()
        hold.later(AFTER_HONOUR)
        assert hold.send(hold.take()).kind is OutcomeKind.SUCCEEDED
        require_taken(hold, hold.case.total)


@every_part_taker
class TestTakingAPart:
    def test_lets_the_rest_go(self, hold: Payment, case: GatewayCase) -> None:
        hold.hold()
        asked = hold.take(case.part)
        first, again = hold.send(asked), hold.send(asked)
        for said in (first, again):
            assert (said.kind, said.money) == (OutcomeKind.SUCCEEDED, case.part)
        assert hold.send(hold.take(case.part)).kind is not OutcomeKind.DECLINED
        require_taken(hold, case.part)

    @every_fault
    def test_takes_it_once_whatever_breaks(
        self, hold: Payment, case: GatewayCase, fault: str
    ) -> None:
        hold.hold()
        asked = hold.take(case.part)
        hold.rule(api={"fault": fault})
        assert hold.send(asked).kind in OPEN
        hold.rule()
        said = hold.insisted(asked)
        assert (said.kind, said.money) == (OutcomeKind.SUCCEEDED, case.part)
        require_taken(hold, case.part)

    def test_gives_back_no_more_than_that_part(self, hold: Payment, case: GatewayCase) -> None:
        hold.hold()
        hold.send(hold.take(case.part))
        whole = hold.ask(Verb.REFUND, money=case.total, actor="finance")
        assert whole.kind is OutcomeKind.DECLINED
        assert hold.send(hold.refund()).kind is OutcomeKind.SUCCEEDED
        assert (hold.captured, hold.refunded) == (case.part.minor, case.part.minor)


@every_holder
class TestLettingGo:
    def test_takes_nothing_however_often_it_is_asked(self, hold: Payment) -> None:
        hold.hold()
        asked = hold.operation(Verb.VOID)
        for said in (hold.send(asked), hold.send(asked)):
            assert said.kind is OutcomeKind.DECLINED
            assert said.failure is not None
            assert said.failure.code is FailureCode.CANCELLED
        require_released(hold)

    @every_fault
    def test_is_done_whatever_breaks(self, hold: Payment, fault: str) -> None:
        hold.hold()
        asked = hold.operation(Verb.VOID)
        hold.rule(api={"fault": fault})
        assert hold.send(asked).kind in OPEN
        hold.rule()
        if fault in BEFORE:
            assert hold.charge()["status"] == "authorized"
        ended = hold.insisted(asked)
        assert ended.kind is OutcomeKind.DECLINED
        assert ended.failure is not None
        assert ended.failure.code is FailureCode.CANCELLED
        require_released(hold)

    def test_is_told_the_truth_when_it_was_taken(self, hold: Payment) -> None:
        hold.hold()
        late = hold.operation(Verb.VOID)
        hold.send(hold.take())
        assert hold.send(late).kind is not OutcomeKind.DECLINED
        require_taken(hold, hold.case.total)


@every_holder
class TestRunningOut:
    def test_is_a_final_no(self, hold: Payment, case: GatewayCase) -> None:
        hold.hold()
        hold.later(case.hold_life - HOUR)
        require_held(hold)
        hold.later(2 * HOUR)
        asked = hold.ask(Verb.QUERY)
        assert asked.failure is not None
        assert (asked.kind, asked.failure.code) == (OutcomeKind.DECLINED, FailureCode.EXPIRED)
        assert asked.failure.gateway_code
        require_released(hold)


@every_holder
@pytest.mark.parametrize("verb", ENDS)
class TestEndingAHold:
    def test_is_written_the_same_every_time(self, hold: Payment, verb: Verb) -> None:
        hold.hold()
        asked = ending(hold, verb)
        later = replace(asked, now=asked.now + HOUR)
        assert hold.gateway.freeze(later) == asked.request

    def test_waits_for_a_slow_answer(self, hold: Payment, verb: Verb) -> None:
        hold.hold()
        asked = ending(hold, verb)
        hold.rule(api={"fault": SLOW})
        assert hold.send(asked).kind not in OPEN

    def test_believes_no_answer_about_another_hold(
        self,
        new_payment: NewPayment,
        case: GatewayCase,
        sandbox: SandboxProcess,
        relay: Relay,
        verb: Verb,
    ) -> None:
        one, other = (
            new_payment(capture=CaptureMethod.MANUAL),
            new_payment(capture=CaptureMethod.MANUAL),
        )
        wired = case.gateway(sandbox, relay.url)
        for each in (one, other):
            each.hold()
        assert one.send(ending(one, verb), wired).kind not in OPEN
        relay.always(relay.bodies[-1])
        assert other.send(ending(other, verb), wired).kind is OutcomeKind.UNKNOWN

    def test_knows_no_word_that_it_was_not_taught(
        self, hold: Payment, case: GatewayCase, sandbox: SandboxProcess, relay: Relay, verb: Verb
    ) -> None:
        hold.hold()
        relay.twist = case.renamed
        said = hold.send(ending(hold, verb), case.gateway(sandbox, relay.url))
        assert said.kind is OutcomeKind.UNKNOWN
        assert relay.twist(relay.bodies[-1]) != relay.bodies[-1]

    def test_reports_another_amount_as_it_is_told(
        self, hold: Payment, case: GatewayCase, sandbox: SandboxProcess, relay: Relay, verb: Verb
    ) -> None:
        hold.hold()
        relay.twist = lambda body: body.replace(*case.amounts)
        said = hold.send(ending(hold, verb), case.gateway(sandbox, relay.url))
        assert relay.twist(relay.bodies[-1]) != relay.bodies[-1]
        assert said.kind is not OutcomeKind.SUCCEEDED or said.money != case.total

    def test_learns_nothing_from_nonsense(
        self, hold: Payment, case: GatewayCase, sandbox: SandboxProcess, relay: Relay, verb: Verb
    ) -> None:
        hold.hold()
        wired, asked = case.gateway(sandbox, relay.url), ending(hold, verb)
        for answer in NONSENSE:
            relay.always(answer)
            assert hold.send(asked, wired).kind in OPEN

    def test_is_refused_to_strangers_without_a_word_about_the_hold(
        self, hold: Payment, case: GatewayCase, sandbox: SandboxProcess, verb: Verb
    ) -> None:
        hold.hold()
        asked = ending(hold, verb)
        for gateway in (
            case.gateway(sandbox, **case.strangers),
            case.gateway(sandbox, refused_url()),
        ):
            assert hold.send(asked, gateway).kind is OutcomeKind.NOT_DONE
        require_held(hold)


class TestWhatCannotBeHeld:
    """Where a gateway cannot do it, that is said before anything is sent, in words for people."""

    @pytest.mark.parametrize("case", [each for each in PARTIES if each not in HOLDERS], ids=str)
    def test_is_refused_with_a_reason(self, new_payment: NewPayment, case: GatewayCase) -> None:
        wanted = new_payment(capture=CaptureMethod.MANUAL)
        for verb in (Verb.CREATE, *ENDS):
            with pytest.raises(UnsupportedOperation) as refused:
                wanted.operation(verb, money=case.total)
            assert "cannot hold" in str(refused.value)

    @pytest.mark.parametrize("case", [each for each in HOLDERS if each not in PART_TAKERS], ids=str)
    def test_is_refused_in_part_with_a_reason(self, hold: Payment, case: GatewayCase) -> None:
        hold.hold()
        with pytest.raises(UnsupportedOperation, match="exactly what was authorised"):
            hold.take(case.part)
        require_held(hold)
