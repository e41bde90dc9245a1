"""What becomes of a payment after it began, each told by the gateway's webhooks."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from gateways.operation import CaptureMethod, Verb
from gateways.outcome import Outcome, OutcomeKind
from gateways.webhook import Delivery, Notice, Subject
from tests.gateways.contract.gateway_case import GatewayCase, Turn
from tests.gateways.contract.payment import Payment
from tests.sandbox.sandbox_process import eventually

_HOUR: Final = timedelta(hours=1)
# Longer than any gateway here thinks about a slow refund.
_A_WHILE: Final = timedelta(minutes=5)

NextStep = Callable[[Payment], object]
MakePayment = Callable[[str, str], Payment]


@dataclass(frozen=True)
class Scenario:
    """``begin`` leads up to ``act``, whose webhooks end in one of ``ends`` about ``subject``.

    ``part``: they name the part, and otherwise the total. ``moves``: they name money at all.
    """

    name: str
    subject: Subject
    ends: frozenset[OutcomeKind]
    begin: NextStep
    act: NextStep
    capture: CaptureMethod = CaptureMethod.AUTOMATIC
    part: bool = False
    moves: bool = True

    def __str__(self) -> str:
        return self.name

    def turn(self, case: GatewayCase) -> Turn:
        """How the gateway is to treat refunds in it."""
        turns = {"slow_refund": case.slow_refunds, "failing_refund": case.failing_refunds}
        return turns.get(self.name) or Turn()

    def agrees(self, payment: Payment, said: Outcome) -> bool:
        """Whether ``said`` could pass for the end of this scenario."""
        money = payment.case.part if self.part else payment.case.total
        fits = said.money == (money if self.moves else said.money)
        known = said.account in {"", payment.gateway.account}
        return said.kind in self.ends and fits and known and said.live in {None, False}


@dataclass(frozen=True)
class ScenarioRun:
    """A payment after its scenario, and the webhooks about the last step in the order they came."""

    payment: Payment
    deliveries: list[Delivery]

    def notices(self, subject: Subject) -> list[Notice]:
        """What the last step's webhooks say about ``subject``."""
        read = self.payment.gateway.read_webhook
        notices = [notice for each in self.deliveries for notice in read(each)]
        return [each for each in notices if each.subject is subject and each.outcome]

    def outcomes(self, subject: Subject) -> list[Outcome]:
        """The outcomes of the notices; a hint to ask is followed, as the worker follows it."""
        said = [notice.outcome for notice in self.notices(subject) if notice.outcome]
        hints = [each for each in said if each.next_verb is Verb.QUERY]
        return [self.payment.ask(Verb.QUERY)] if hints else said


def tell(make: MakePayment, case: GatewayCase, scenario: Scenario, **webhook: Any) -> ScenarioRun:
    """Drive ``scenario``; ``webhook`` says how its webhooks travel."""
    turn = scenario.turn(case)
    payment = make(scenario.capture, turn.token)
    payment.rule(decision=turn.decision, webhook=webhook)
    scenario.begin(payment)
    _arrived(payment, 0)
    known = len(payment.received())
    hooks = len(_hooks(payment))
    scenario.act(payment)
    _arrived(payment, hooks + 1)
    return ScenarioRun(payment, payment.deliveries()[known:])


def _arrived(payment: Payment, at_least: int) -> None:
    """Wait until ``at_least`` webhooks about ``payment``, and all there are, were tried."""

    def look() -> bool:
        hooks = _hooks(payment)
        return len(hooks) >= at_least and all(hook["attempts"] for hook in hooks)

    eventually(look, "the webhooks")


def _hooks(payment: Payment) -> list[Any]:
    hooks: list[Any] = payment.sandbox.journal(reference=payment.reference)["webhooks"]
    return hooks


def _nothing(payment: Payment) -> None:
    """The scenario begins with its act."""


def _hold(payment: Payment) -> None:
    payment.hold()


def _take(payment: Payment) -> None:
    payment.send(payment.take(payment.case.part))


def _release_waiting(payment: Payment) -> None:
    payment.ask(Verb.VOID)


def _run_out(payment: Payment) -> None:
    payment.later(payment.case.hold_life + _HOUR)


def _pay(payment: Payment) -> None:
    payment.pay()


def _refund(payment: Payment) -> None:
    payment.send(payment.refund())


def _pay_and_refund(payment: Payment) -> None:
    payment.pay()
    _refund(payment)


def _wait(payment: Payment) -> None:
    payment.later(_A_WHILE)


def _disputed(outcome: str) -> NextStep:
    def act(payment: Payment) -> None:
        payment.sandbox.control(
            "disputes",
            gateway=payment.gateway.name,
            psp_reference=payment.details.psp_reference,
            outcome=outcome,
        )

    return act


def _pay_and_dispute(payment: Payment) -> None:
    payment.pay()
    _disputed("open")(payment)


_DONE: Final = frozenset({OutcomeKind.SUCCEEDED})
_NOT: Final = frozenset({OutcomeKind.DECLINED})
_HELD: Final = frozenset({OutcomeKind.AUTHORIZED})
# Stripe takes the money when a dispute begins, PayPal says only that there is one.
_OPEN: Final = frozenset({OutcomeKind.SUCCEEDED, OutcomeKind.PENDING})
_MANUAL: Final = CaptureMethod.MANUAL

SCENARIOS: Final = (
    Scenario("hold", Subject.PAYMENT, _HELD, _nothing, _hold, _MANUAL),
    Scenario("capture", Subject.PAYMENT, _DONE, _hold, _take, _MANUAL, part=True),
    Scenario("void", Subject.PAYMENT, _NOT, _hold, _release_waiting, _MANUAL, moves=False),
    Scenario("expiry", Subject.PAYMENT, _NOT, _hold, _run_out, _MANUAL, moves=False),
    Scenario("refund", Subject.REFUND, _DONE, _pay, _refund, part=True),
    Scenario("slow_refund", Subject.REFUND, _DONE, _pay_and_refund, _wait, part=True),
    Scenario("failing_refund", Subject.REFUND, _NOT, _pay_and_refund, _wait, part=True),
    Scenario("dispute_opened", Subject.DISPUTE, _OPEN, _pay, _disputed("open")),
    Scenario("dispute_lost", Subject.DISPUTE, _DONE, _pay_and_dispute, _disputed("lost")),
    Scenario("dispute_won", Subject.DISPUTE, _NOT, _pay_and_dispute, _disputed("won")),
)
