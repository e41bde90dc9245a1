"""What webhooks say after a payment began: of holds, captures, refunds and disputes.

The rules are those of ``test_webhooks.py``. A gateway that tells of fewer things than others is
asked instead, which ``test_holding.py`` and ``test_refunding.py`` hold against the same journal.
"""

from dataclasses import replace
from typing import Final

import pytest

from gateways.base import Gateway
from gateways.webhook import Subject
from tests.gateways.contract.alterations import altered, with_proof_of
from tests.gateways.contract.conftest import NewPayment
from tests.gateways.contract.gateway_case import PARTIES, GatewayCase
from tests.gateways.contract.reading import LATER, facts_of, is_believed
from tests.gateways.contract.scenarios import SCENARIOS, Scenario, ScenarioRun, tell
from tests.sandbox.sandbox_process import SandboxProcess

# What a webhook may call the payment by, beside its own id.
NAMES: Final = ("payment_intent", "capture_id")
SCENARIO_CASES: Final = [
    pytest.param(case, scenario, id=f"{case}-{scenario}")
    for case in PARTIES
    for scenario in SCENARIOS
    if scenario.name in case.webhook_scenarios
]
LIES: Final = [
    pytest.param(case, scenario, lie, id=f"{case}-{scenario}-{lie}")
    for case in PARTIES
    for scenario in SCENARIOS
    for lie in case.lies
    if scenario.name in case.webhook_scenarios and scenario.moves
    if not (case.only_hints and scenario.subject is Subject.PAYMENT)
]
every_scenario = pytest.mark.parametrize(("case", "scenario"), SCENARIO_CASES)


@pytest.fixture
def told(new_payment: NewPayment, case: GatewayCase, scenario: Scenario) -> ScenarioRun:
    return tell(new_payment, case, scenario)


@every_scenario
class TestGenuine:
    def test_say_what_has_become_of_it(self, told: ScenarioRun, scenario: Scenario) -> None:
        assert told.deliveries
        said = told.outcomes(scenario.subject)
        assert [each for each in said if scenario.agrees(told.payment, each)]

    def test_name_what_they_are_about(self, told: ScenarioRun, scenario: Scenario) -> None:
        payment = told.payment
        data = payment.details.psp_data
        ours = {payment.details.psp_reference, *(data.get(name) for name in NAMES)}
        for notice in told.notices(scenario.subject):
            assert notice.event_id
            if scenario.subject is Subject.PAYMENT:
                assert notice.reference == payment.reference
                assert notice.psp_reference in ours
            else:
                assert notice.psp_reference
                assert notice.payment_psp_reference in ours
            if scenario.subject is Subject.REFUND:
                made = {said.psp_reference: said.reference for said in payment.outcomes}
                assert made[notice.psp_reference] == notice.reference

    def test_are_read_the_same_however_often_and_in_whatever_order(
        self, new_payment: NewPayment, case: GatewayCase, scenario: Scenario
    ) -> None:
        told = tell(new_payment, case, scenario, copies=3, order="reversed")
        payment = told.payment
        payment.sandbox.control(
            "webhooks/resend", gateway=payment.gateway.name, reference=payment.reference
        )
        read = [payment.gateway.read_webhook(each) for each in payment.deliveries()]
        facts = facts_of(notice for notices in read for notice in notices)
        assert {len(each) for each in facts.values()} == {1}
        assert len(read) >= 4 * len(facts)
        said = told.outcomes(scenario.subject)
        assert [each for each in said if scenario.agrees(payment, each)]

    def test_are_believed_under_our_secrets_alone(
        self, told: ScenarioRun, case: GatewayCase, sandbox: SandboxProcess
    ) -> None:
        changing = case.gateway(sandbox, **case.rotated)
        stranger = case.gateway(sandbox, **case.strangers)
        for delivery in told.deliveries:
            assert changing.read_webhook(delivery) == told.payment.gateway.read_webhook(delivery)
            assert not is_believed(stranger, delivery)

    def test_are_the_same_event_or_nothing_when_they_are_replayed(
        self, told: ScenarioRun, gateway: Gateway
    ) -> None:
        for delivery in told.deliveries:
            (known,) = gateway.read_webhook(delivery)
            late = replace(delivery, received_at=delivery.received_at + LATER)
            if is_believed(gateway, late):
                (again,) = gateway.read_webhook(late)
                assert again.event_id == known.event_id


@every_scenario
class TestForged:
    @pytest.mark.parametrize("corrupt", ["signature", "body"])
    def test_are_refused(
        self,
        new_payment: NewPayment,
        gateway: Gateway,
        case: GatewayCase,
        scenario: Scenario,
        corrupt: str,
    ) -> None:
        told = tell(new_payment, case, scenario, corrupt=corrupt)
        assert told.deliveries
        assert not [each for each in told.deliveries if is_believed(gateway, each)]

    def test_are_refused_whichever_part_was_changed(
        self, told: ScenarioRun, gateway: Gateway, case: GatewayCase
    ) -> None:
        for delivery in told.deliveries:
            assert is_believed(gateway, delivery)
            changed = dict(altered(delivery, case))
            assert len(changed) >= 12
            assert not [name for name, made in changed.items() if is_believed(gateway, made)]

    def test_are_refused_with_the_proof_of_what_came_before(
        self, new_payment: NewPayment, gateway: Gateway, case: GatewayCase, scenario: Scenario
    ) -> None:
        before = new_payment()
        before.pay()
        theirs = before.deliveries()[0]
        for mine in tell(new_payment, case, scenario).deliveries:
            assert not is_believed(gateway, with_proof_of(theirs, mine, case))


class TestLies:
    @pytest.mark.parametrize(("case", "scenario", "lie"), LIES)
    def test_show_in_what_is_read(
        self, new_payment: NewPayment, case: GatewayCase, scenario: Scenario, lie: str
    ) -> None:
        told = tell(new_payment, case, scenario, corrupt=lie)
        notices = told.notices(scenario.subject)
        assert notices
        said = [notice.outcome for notice in notices if notice.outcome]
        assert not [each for each in said if scenario.agrees(told.payment, each)]
