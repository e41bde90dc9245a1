"""One payment on its way through an adapter, driven as the worker and a browser would drive it."""

import json
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from gateways.base import OUTCOMES_BY_VERB, Gateway
from gateways.operation import CaptureMethod, Operation, PaymentDetails, Verb
from gateways.outcome import Failure, Outcome, OutcomeKind
from gateways.webhook import Delivery, Notice, Subject
from money.money import Money
from tests.gateways import samples
from tests.gateways.contract.gateway_case import GatewayCase
from tests.sandbox.sandbox_process import Received, SandboxProcess, Shop, eventually

EMAIL: Final = "linh.nguyen@example.com"
_LOOKS_MAX: Final = 60
_LOOK_S: Final = 0.1
_SENDS_MAX: Final = 3
_OPEN: Final = frozenset({OutcomeKind.UNKNOWN, OutcomeKind.NOT_DONE})
_ENDED: Final = frozenset({OutcomeKind.SUCCEEDED, OutcomeKind.AUTHORIZED, OutcomeKind.DECLINED})


@dataclass
class Payment:
    """``outcomes`` is everything that the adapter said, ``requests`` everything it would store."""

    case: GatewayCase
    gateway: Gateway
    sandbox: SandboxProcess
    shop: Shop
    capture: CaptureMethod = CaptureMethod.AUTOMATIC
    token: str = ""
    details: PaymentDetails = field(init=False)
    outcomes: list[Outcome] = field(default_factory=list)
    requests: list[object] = field(default_factory=list)
    next_verb: Verb = field(default=Verb.QUERY, init=False)

    def __post_init__(self) -> None:
        now = datetime.now(UTC)
        self.token = self.token or self.case.token
        self.details = samples.details(
            reference=uuid4().hex,
            money=self.case.total,
            created_at=now,
            expires_at=now + timedelta(hours=1),
            return_url="http://127.0.0.1:9/return",
            cancel_url="http://127.0.0.1:9/cancel",
            customer_email=EMAIL,
            has_token=bool(self.token),
            capture=self.capture,
        )

    @property
    def reference(self) -> str:
        return self.details.reference

    def rule(self, **rule: Any) -> None:
        """How the gateway treats this one payment from now on."""
        made = {"decision": "approve", "decide_after_ms": 0, **rule}
        self.sandbox.behaviour(gateway=self.gateway.name, reference=self.reference, **made)

    def operation(self, verb: Verb, **changes: Any) -> Operation:
        """``verb`` under a key of its own, with its request frozen."""
        made = {"reference": uuid4().hex, "now": datetime.now(UTC), **changes}
        if verb is Verb.CREATE:
            made |= {"reference": self.reference, "token": self.token}
        asked = samples.operation(verb, self.details, **made)
        return replace(asked, request=self.gateway.freeze(asked))

    def send(self, asked: Operation, gateway: Gateway | None = None) -> Outcome:
        """Perform ``asked``, from a copy that has been in a database."""
        stored = json.loads(json.dumps(asked.request))
        outcome = (gateway or self.gateway).perform(replace(asked, request=stored))
        assert outcome.kind in OUTCOMES_BY_VERB[asked.verb], (asked.verb, outcome)
        self.requests.append(stored)
        self.outcomes.append(outcome)
        self._learn(asked.verb, outcome)
        return outcome

    def ask(self, verb: Verb, gateway: Gateway | None = None, **changes: Any) -> Outcome:
        """Freeze and perform."""
        return self.send(self.operation(verb, **changes), gateway)

    def create(self) -> Outcome:
        """Start collecting, and open the page where the gateway decides there."""
        outcome = self.ask(Verb.CREATE)
        self.visit(outcome)
        return outcome

    def visit(self, outcome: Outcome) -> None:
        """The shopper follows the link, where that is what the gateway waits for."""
        if self.case.decides_on_page and outcome.next_action:
            self.sandbox.http.get(outcome.next_action.url, allow_redirects=False, timeout=10)

    def pay(self) -> Outcome:
        """Create, and follow the payment to its end."""
        self.create()
        return self.followed()

    def followed(self) -> Outcome:
        """What the gateway says in the end; the last word when it never becomes definite."""
        for _ in range(_LOOKS_MAX):
            outcome = self.look()
            if outcome.kind in _ENDED:
                break
            time.sleep(_LOOK_S)
        return outcome

    def hold(self) -> Outcome:
        """Create, and follow until the money is held."""
        held = self.pay()
        assert held.kind is OutcomeKind.AUTHORIZED
        return held

    def take(self, money: Money | None = None) -> Operation:
        """The capture of a hold, whole unless a sum is named, ready to be sent."""
        return self.operation(Verb.CAPTURE, money=money or self.case.total)

    def look(self) -> Outcome:
        """The next operation by the adapter's own word: a query, or the capture of an approval."""
        return self.ask(self.next_verb)

    def insisted(self, asked: Operation) -> Outcome:
        """``asked`` again and again, then queries, as after answers that never came."""
        for _ in range(_SENDS_MAX):
            outcome = self.send(asked)
            if outcome.kind not in _OPEN:
                break
        self.visit(outcome)
        return outcome if outcome.kind in _ENDED else self.followed()

    def refund(self, **changes: Any) -> Operation:
        """A refund of a part, ready to be sent."""
        return self.operation(Verb.REFUND, money=self.case.part, actor="finance", **changes)

    def question(self, refund: Operation, **changes: Any) -> Operation:
        """How ``refund`` stands, asked by our reference; ``changes`` may add theirs."""
        made = {"refund_reference": refund.reference, "money": refund.money, **changes}
        return self.operation(Verb.QUERY_REFUND, **made)

    def dispute(self, outcome: str) -> Any:
        """The shopper's bank opens a dispute, or ends it; the row of the gateway's journal."""
        about = {"gateway": self.gateway.name, "psp_reference": self.details.psp_reference}
        return self.sandbox.control("disputes", **about, outcome=outcome)

    def charge(self) -> Any:
        """The gateway's own journal about this payment."""
        return self.sandbox.charge(self.reference)

    @property
    def captured(self) -> int:
        """What the gateway has taken for this payment, in minor units, over all its charges."""
        charges = self.sandbox.journal(reference=self.reference)["charges"]
        return sum(int(charge["captured"]) for charge in charges)

    @property
    def refunded(self) -> int:
        """What the gateway has given back, in minor units."""
        return int(self.charge()["refunded"])

    def later(self, wait: timedelta) -> None:
        """The gateway's clock moves on."""
        self.sandbox.control("clock", advance_s=int(wait.total_seconds()))

    def deliveries(self, at_least: int = 1) -> list[Delivery]:
        """The webhooks about this payment so far, in the order in which they came."""
        eventually(lambda: len(self.received()) >= at_least, "a webhook")
        return [delivery_of(got) for got in self.received()]

    def notices(self) -> list[Notice]:
        """What its webhooks say, read in the order in which they came."""
        return [notice for each in self.deliveries() for notice in self.gateway.read_webhook(each)]

    def read_webhooks(self) -> Outcome:
        """The success that the webhooks announce, or what comes nearest to it."""

        def look() -> list[Outcome]:
            said = [n.outcome for n in self.notices() if n.subject is Subject.PAYMENT and n.outcome]
            good = [each for each in said if each.kind in _ENDED]
            return good or [each for each in said if each.next_verb]

        return eventually(look, "a webhook about the payment")[-1]

    def agrees(self, said: Outcome) -> bool:
        """Whether ``said`` fits all that was frozen, so that it could pass for a success."""
        is_good = said.kind is OutcomeKind.SUCCEEDED or said.next_verb is not None
        fits = said.money == self.case.total and said.reference == self.reference
        known = said.account in {"", self.gateway.account}
        return is_good and fits and known and said.live in {None, self.gateway.live}

    def failures(self) -> list[Failure]:
        """Every reason for a no that was given, by answers and by webhooks."""
        said = [*self.outcomes, *(notice.outcome for notice in self.notices())]
        return [each.failure for each in said if each and each.failure]

    def received(self) -> list[Received]:
        """Its webhooks so far, as the shop got them."""
        return [got for got in list(self.shop.received) if self._is_mine(got)]

    def _is_mine(self, got: Received) -> bool:
        # Disputes carry no reference of ours: they name their own ids of the payment.
        data = self.details.psp_data
        theirs = (data.get("payment_intent", ""), data.get("capture_id", ""))
        known = {self.reference, *theirs} - {""}
        if got.path != self.case.path:
            return False
        return self.reference in got.query or any(each.encode() in got.body for each in known)

    def _learn(self, verb: Verb, outcome: Outcome) -> None:
        if verb in {Verb.REFUND, Verb.QUERY_REFUND}:
            return
        if outcome.kind.is_answer:
            self.next_verb = outcome.next_verb or Verb.QUERY
        self.details = replace(
            self.details,
            psp_reference=outcome.psp_reference or self.details.psp_reference,
            psp_data={**self.details.psp_data, **outcome.psp_data},
        )


def delivery_of(got: Received) -> Delivery:
    """A request as our view hands it to an adapter."""
    headers = {name.lower(): value for name, value in got.headers.items()}
    return Delivery(got.body, got.query, headers, datetime.now(UTC))
