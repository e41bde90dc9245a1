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
from tests.gateways.contract.scenarios import STORIES, Story, Told, tell
from tests.sandbox.sandbox_process import SandboxProcess

# What a webhook may call the payment by, beside its own id.
NAMES: Final = ("payment_intent", "capture_id")
TOLD: Final = [
    pytest.param(case, story, id=f"{case}-{story}")
    for case in PARTIES
    for story in STORIES
    if story.name in case.tells
]
LIES: Final = [
    pytest.param(case, story, lie, id=f"{case}-{story}-{lie}")
    for case in PARTIES
    for story in STORIES
    for lie in case.lies
    if story.name in case.tells and story.moves
    if not (case.only_hints and story.subject is Subject.PAYMENT)
]
every_story = pytest.mark.parametrize(("case", "story"), TOLD)


@pytest.fixture
def told(new_payment: NewPayment, case: GatewayCase, story: Story) -> Told:
    return tell(new_payment, case, story)


@every_story
class TestGenuine:
    def test_say_what_has_become_of_it(self, told: Told, story: Story) -> None:
        assert told.deliveries
        said = told.outcomes(story.subject)
        assert [each for each in said if story.agrees(told.payment, each)]

    def test_name_what_they_are_about(self, told: Told, story: Story) -> None:
        payment = told.payment
        data = payment.details.psp_data
        ours = {payment.details.psp_reference, *(data.get(name) for name in NAMES)}
        for notice in told.notices(story.subject):
            assert notice.event_id
            if story.subject is Subject.PAYMENT:
                assert notice.reference == payment.reference
                assert notice.psp_reference in ours
            else:
                assert notice.psp_reference
                assert notice.payment_psp_reference in ours
            if story.subject is Subject.REFUND:
                made = {said.psp_reference: said.reference for said in payment.outcomes}
                assert made[notice.psp_reference] == notice.reference

    def test_are_read_the_same_however_often_and_in_whatever_order(
        self, new_payment: NewPayment, case: GatewayCase, story: Story
    ) -> None:
        told = tell(new_payment, case, story, copies=3, order="reversed")
        payment = told.payment
        payment.sandbox.control(
            "webhooks/resend", gateway=payment.gateway.name, reference=payment.reference
        )
        read = [payment.gateway.read_webhook(each) for each in payment.deliveries()]
        facts = facts_of(notice for notices in read for notice in notices)
        assert {len(each) for each in facts.values()} == {1}
        assert len(read) >= 4 * len(facts)
        said = told.outcomes(story.subject)
        assert [each for each in said if story.agrees(payment, each)]

    def test_are_believed_under_our_secrets_alone(
        self, told: Told, case: GatewayCase, sandbox: SandboxProcess
    ) -> None:
        changing = case.gateway(sandbox, **case.rotated)
        stranger = case.gateway(sandbox, **case.strangers)
        for delivery in told.deliveries:
            assert changing.read_webhook(delivery) == told.payment.gateway.read_webhook(delivery)
            assert not is_believed(stranger, delivery)

    def test_are_the_same_event_or_nothing_when_they_are_replayed(
        self, told: Told, gateway: Gateway
    ) -> None:
        for delivery in told.deliveries:
            (known,) = gateway.read_webhook(delivery)
            late = replace(delivery, received_at=delivery.received_at + LATER)
            if is_believed(gateway, late):
                (again,) = gateway.read_webhook(late)
                assert again.event_id == known.event_id


@every_story
class TestForged:
    @pytest.mark.parametrize("corrupt", ["signature", "body"])
    def test_are_refused(
        self,
        new_payment: NewPayment,
        gateway: Gateway,
        case: GatewayCase,
        story: Story,
        corrupt: str,
    ) -> None:
        told = tell(new_payment, case, story, corrupt=corrupt)
        assert told.deliveries
        assert not [each for each in told.deliveries if is_believed(gateway, each)]

    def test_are_refused_whichever_part_was_changed(
        self, told: Told, gateway: Gateway, case: GatewayCase
    ) -> None:
        for delivery in told.deliveries:
            assert is_believed(gateway, delivery)
            changed = dict(altered(delivery, case))
            assert len(changed) >= 12
            assert not [name for name, made in changed.items() if is_believed(gateway, made)]

    def test_are_refused_with_the_proof_of_what_came_before(
        self, new_payment: NewPayment, gateway: Gateway, case: GatewayCase, story: Story
    ) -> None:
        before = new_payment()
        before.pay()
        theirs = before.deliveries()[0]
        for mine in tell(new_payment, case, story).deliveries:
            assert not is_believed(gateway, with_proof_of(theirs, mine, case))


class TestLies:
    @pytest.mark.parametrize(("case", "story", "lie"), LIES)
    def test_show_in_what_is_read(
        self, new_payment: NewPayment, case: GatewayCase, story: Story, lie: str
    ) -> None:
        told = tell(new_payment, case, story, corrupt=lie)
        notices = told.notices(story.subject)
        assert notices
        said = [notice.outcome for notice in notices if notice.outcome]
        assert not [each for each in said if story.agrees(told.payment, each)]
