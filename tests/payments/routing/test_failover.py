"""Another gateway takes over a payment, and only one that is proven uncharged."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from django.db import InternalError, connection
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from audit.models import AuditEvent
from config import settings as settings_file
from durable.queues import queues
from gateways.outcome import Outcome, OutcomeKind
from orders.links import pay_url
from payments.api.views import render_payment
from payments.errors import CurrencyMismatch, MethodUnavailable, NotCancellable, NotCapturable
from payments.invariants import check
from payments.models import Case, CaseKind, GatewayBreaker, GatewayCall, Transaction
from payments.outcomes import apply
from payments.processing import dispatch, planning
from payments.routing import breaker, registry
from payments.services import create, lifecycle
from payments.services.create import CreatedPayment
from payments.states import Status
from tests.factories import (
    OrderFactory,
    apply_outcome,
    held,
    make_due,
    paid,
    payment_request,
)
from tests.gateways.local_server import refused_url

pytestmark = pytest.mark.django_db(transaction=True)

SILENCE: Final = Outcome(OutcomeKind.UNKNOWN)
REFUSED: Final = Outcome(OutcomeKind.NOT_DONE)


def second_account(**options: str) -> dict[str, Any]:
    entry = settings_file.GATEWAYS["stripe"]
    own = {"secret_key": f"sk_test_{'b' * 24}", "account": "acct_second", **options}
    return {**entry, "options": entry["options"] | own}


@pytest.fixture(autouse=True)
def accounts(settings: Settings) -> Iterator[None]:
    """Cards go to Stripe, where nobody listens; a second account of ours stands in."""
    down = settings_file.GATEWAYS["stripe"]
    entries = {
        "stripe": {**down, "options": down["options"] | {"api_base": refused_url()}},
        "stripe_b": second_account(),
    }
    settings.GATEWAYS = {**settings_file.GATEWAYS, **entries}
    settings.METHOD_GATEWAYS = {**settings_file.METHOD_GATEWAYS, "card": ("stripe", "stripe_b")}
    settings.DUE_QUEUES = {
        **settings_file.DUE_QUEUES, "gateway.stripe_b": "payments.tasks.GatewayQueue",
    }  # fmt: skip
    forget()
    yield
    forget()


def forget() -> None:
    registry.gateways.cache_clear()
    queues.cache_clear()


def pay(**changes: Any) -> Transaction:
    order = OrderFactory.create(currency=changes.pop("currency", "VND"))
    request = payment_request(order, method="card", **{"payment_token": "", **changes})
    return started(request).transaction


def started(request: create.PaymentRequest) -> CreatedPayment:
    return create.create_payment(client="link", key=None, request=request, render=render_payment)


def hold_back(gateway: str) -> None:
    breaker.note(gateway_name=gateway, outcomes=[SILENCE] * breaker.FAILURES_TO_OPEN)


def work(payment: Transaction, *outcomes: Outcome) -> None:
    """One claim for each outcome, answered by it; a claim that sends nothing ends it."""
    for outcome in outcomes:
        make_due(payment)
        for job in planning.claim_and_plan(gateway_name=payment.gateway, limit=1):
            dispatch.record_results(results=[(job, outcome)])
    payment.refresh_from_db()


def plan(payment: Transaction) -> list[planning.Job]:
    make_due(payment)
    jobs = planning.claim_and_plan(gateway_name=payment.gateway, limit=1)
    payment.refresh_from_db()
    return jobs


class TestChoosing:
    def test_takes_the_preferred_gateway(self) -> None:
        assert pay().gateway == "stripe"

    def test_passes_over_one_that_is_held_back_and_says_so(self) -> None:
        hold_back("stripe")
        row = pay()
        assert (row.gateway, row.gateway_account) == ("stripe_b", "acct_second")
        created = AuditEvent.objects.get(action="transaction.created", subject_id=row.pk)
        assert created.after["passed_over"] == "stripe"

    def test_passes_over_one_that_cannot_be_told_of_the_payment(self, settings: Settings) -> None:
        # VNPAY takes a return address of 255 characters at most.
        settings.BASE_URL = f"https://{'a' * 250}.example"
        settings.METHOD_GATEWAYS = {**settings.METHOD_GATEWAYS, "card": ("vnpay", "stripe")}
        row = pay()
        assert (row.gateway, row.live_mode) == ("stripe", False)
        assert row.expires_at - row.created_at == registry.gateway("stripe").link_lifetime
        created = AuditEvent.objects.get(action="transaction.created", subject_id=row.pk)
        assert created.after["passed_over"] == "vnpay"

    def test_refuses_what_no_gateway_can_be_told(self, settings: Settings) -> None:
        settings.BASE_URL = f"https://{'a' * 250}.example"
        settings.METHOD_GATEWAYS = {**settings.METHOD_GATEWAYS, "card": ("vnpay",)}
        with pytest.raises(MethodUnavailable, match="10 to 255 characters"):
            pay()
        assert not Transaction.objects.exists()

    def test_stays_with_the_preferred_one_when_all_are_held_back(self) -> None:
        hold_back("stripe")
        hold_back("stripe_b")
        assert pay().gateway == "stripe"

    def test_risks_no_payment_to_find_out_whether_the_preferred_one_is_back(self) -> None:
        hold_back("stripe")
        GatewayBreaker.objects.update(probe_at=Now() - timedelta(seconds=1))
        assert pay().gateway == "stripe_b"

    def test_sends_a_token_only_where_it_was_made(self) -> None:
        hold_back("stripe")
        assert pay(payment_token="pm_card_visa").gateway == "stripe"

    def test_takes_the_account_of_the_currency(self, settings: Settings) -> None:
        settings.GATEWAYS = {
            **settings.GATEWAYS,
            "stripe": second_account(currencies="USD,EUR"),
            "stripe_b": second_account(currencies="VND"),
        }
        forget()
        assert pay(currency="USD").gateway == "stripe"
        assert pay(currency="VND").gateway == "stripe_b"

    def test_says_why_the_preferred_one_cannot_when_none_can(self, settings: Settings) -> None:
        limited = second_account(currencies="EUR")
        settings.GATEWAYS = {**settings.GATEWAYS, "stripe": limited, "stripe_b": limited}
        forget()
        with pytest.raises(MethodUnavailable, match="Takes only EUR"):
            pay()
        assert not Transaction.objects.exists()

    def test_refuses_a_currency_that_is_none(self, settings: Settings) -> None:
        settings.GATEWAYS = {**settings.GATEWAYS, "stripe": second_account(currencies="usd")}
        forget()
        with pytest.raises(ValueError, match="currencies must be ISO codes"):
            registry.gateways()


class TestRerouting:
    def test_follows_a_send_that_was_refused(self) -> None:
        row = pay()
        [job] = plan(row)
        dispatch.record_results(results=[(job, dispatch.perform(job))])
        before = row.expires_at
        assert plan(row) == []
        assert (row.status, row.gateway, row.reroutes) == (Status.PROCESSING, "stripe_b", 1)
        assert (row.gateway_account, row.lease_until, row.failures) == ("acct_second", None, 0)
        assert row.expires_at > before
        [sent_there] = plan(row)
        assert sent_there.call.gateway == "stripe_b"
        assert sent_there.call.reference == row.reference
        assert [str(found) for found in check()] == []

    def test_drops_the_retry_after_of_the_first_gateway(self) -> None:
        row = pay()
        work(row, replace(REFUSED, retry_after_s=1200))
        assert Transaction.objects.filter(retry_after_at__isnull=False).exists()
        assert plan(row) == []
        assert row.gateway == "stripe_b"
        assert row.retry_after_at is None

    def test_is_written_in_the_audit_trail_with_its_proof(self) -> None:
        row = pay()
        work(row, REFUSED, REFUSED)
        event = AuditEvent.objects.get(action="transaction.rerouted", subject_id=row.pk)
        assert event.before["gateway"] == "stripe"
        assert event.after["gateway"] == "stripe_b"
        assert (event.after["reason"], event.after["refused_sends"]) == ("refused", 1)
        call = GatewayCall.objects.get(transaction=row)
        assert (event.cause_type, event.cause_id) == ("gateway_call", str(call.pk))
        assert (call.gateway, call.sends, call.refusals) == ("stripe", 1, 1)
        assert call.answered_at is not None

    def test_spares_a_payment_the_wait_for_a_gateway_that_is_held_back(self) -> None:
        row = pay()
        hold_back("stripe")
        assert plan(row) == []
        assert (row.status, row.gateway, row.reroutes) == (Status.PENDING, "stripe_b", 1)
        event = AuditEvent.objects.get(action="transaction.rerouted", subject_id=row.pk)
        assert (event.after["reason"], event.cause_type) == ("held_back", "")
        assert check() == []

    def test_never_follows_a_send_that_nobody_answered(self) -> None:
        row = pay()
        work(row, SILENCE, REFUSED, REFUSED, REFUSED)
        assert (row.gateway, row.reroutes) == ("stripe", 0)
        assert GatewayCall.objects.get(transaction=row, verb="CREATE").refusals > 0
        hold_back("stripe")
        assert plan(row) == []
        assert row.gateway == "stripe"

    def test_never_follows_an_answer(self) -> None:
        row = pay()
        work(row, Outcome(OutcomeKind.PENDING, psp_reference="cs_1"), REFUSED, REFUSED)
        assert (row.gateway, row.reroutes) == ("stripe", 0)

    def test_leaves_a_token_where_it_was_made(self) -> None:
        row = pay(payment_token="pm_card_visa")
        work(row, REFUSED, REFUSED, REFUSED)
        assert (row.gateway, row.reroutes) == ("stripe", 0)

    def test_does_not_go_where_it_was_refused_before(self) -> None:
        row = pay()
        work(row, REFUSED, REFUSED)
        work(row, REFUSED, REFUSED, REFUSED)
        assert (row.gateway, row.reroutes) == ("stripe_b", 1)

    def test_does_not_go_to_a_gateway_that_is_held_back(self) -> None:
        row = pay()
        hold_back("stripe_b")
        work(row, REFUSED, REFUSED)
        assert row.gateway == "stripe"

    def test_never_takes_real_money_for_test_money(self, settings: Settings) -> None:
        real = second_account(secret_key=f"sk_live_{'b' * 24}")
        settings.GATEWAYS = {**settings.GATEWAYS, "stripe_b": real}
        forget()
        row = pay()
        work(row, REFUSED, REFUSED)
        assert row.gateway == "stripe"

    def test_goes_only_where_the_money_can_be_held(self, settings: Settings) -> None:
        settings.METHOD_GATEWAYS = {"card": ("stripe", "vnpay", "stripe_b")}
        row = pay(capture="manual")
        work(row, REFUSED, REFUSED)
        assert row.gateway == "stripe_b"

    @pytest.mark.parametrize(("kind", "cases"), [(OutcomeKind.DECLINED, 0), ("SUCCEEDED", 1)])
    def test_leaves_what_the_first_one_says_later_behind(self, kind: str, cases: int) -> None:
        row = pay()
        hold_back("stripe_b")
        work(row, REFUSED, REFUSED, REFUSED)
        [slow] = plan(row)
        GatewayBreaker.objects.all().delete()
        assert plan(row) == []
        link = Outcome(OutcomeKind.ACTION_REQUIRED, psp_reference="cs_1")
        work(row, link)
        said = replace(paid(row), kind=OutcomeKind(kind), account="")
        dispatch.record_results(results=[(slow, said)])
        row.refresh_from_db()
        assert (row.gateway, row.status) == ("stripe_b", Status.PROCESSING)
        assert Case.objects.filter(kind=CaseKind.CONFLICT).count() == cases

    def test_is_refused_by_the_database_without_the_proof(self) -> None:
        row = pay()
        work(row, SILENCE)
        with (
            pytest.raises(InternalError, match="only while it is proven uncharged"),
            connection.cursor() as cursor,
        ):
            cursor.execute(
                "UPDATE transactions SET gateway = 'stripe_b', reroutes = 1 WHERE id = %s", [row.pk]
            )


class TestEndingWhatNeverArrived:
    def test_ends_at_once_when_every_send_was_refused(self) -> None:
        row = pay()
        hold_back("stripe_b")
        work(row, REFUSED)
        lifecycle.cancel_payment(transaction_id=row.pk)
        assert plan(row) == []
        assert (row.status, row.failure_code) == (Status.FAILED, "cancelled")
        assert check(quiescent=True) == []

    def test_is_never_charged_after_its_time(self) -> None:
        row = pay()
        hold_back("stripe_b")
        work(row, REFUSED)
        late = row.expires_at + timedelta(seconds=1)
        orders = {row.order_id: row.order}
        calls = list(GatewayCall.objects.filter(transaction=row))
        assert planning.find_reason_not_to_send(row, calls, late) == "never_sent"
        assert planning.find_reason_not_to_send(row, calls, timezone.now()) is None
        assert orders[row.order_id].status == "PENDING"

    def test_goes_on_with_what_may_have_arrived(self) -> None:
        row = pay()
        hold_back("stripe_b")
        work(row, SILENCE)
        lifecycle.cancel_payment(transaction_id=row.pk)
        assert len(plan(row)) == 1
        assert row.status == Status.PROCESSING


class TestAGatewayThatIsGone:
    @pytest.fixture
    def payment(self) -> Transaction:
        row = pay(capture="manual")
        work(row, REFUSED, REFUSED)
        work(row, Outcome(OutcomeKind.ACTION_REQUIRED, psp_reference="cs_1"))
        Transaction.objects.filter(pk=row.pk).update(queried_at=Now())
        return row

    def take_out(self, settings: Settings) -> None:
        settings.GATEWAYS = {n: e for n, e in settings.GATEWAYS.items() if n != "stripe_b"}
        forget()

    def test_does_not_fail_a_shopper_who_comes_back(
        self, payment: Transaction, client: Client, settings: Settings
    ) -> None:
        self.take_out(settings)
        address = urlsplit(f"{pay_url(payment.order)}/return/{payment.reference}").path
        assert client.get(address, follow=True).status_code == 200

    def test_still_applies_a_settlement_record(
        self, payment: Transaction, settings: Settings
    ) -> None:
        self.take_out(settings)
        apply_outcome(payment, Outcome(OutcomeKind.PENDING))
        assert payment.status == Status.PROCESSING
        apply_outcome(payment, held(payment))
        assert payment.status == Status.AUTHORIZED
        apply_outcome(payment, paid(payment))
        assert payment.status == Status.SUCCESS
        assert check() == []

    def test_is_not_given_up_for_unpaid_before_any_gateway_would_be(
        self, payment: Transaction, settings: Settings
    ) -> None:
        margins = [adapter.expiry_margin for adapter in registry.gateways().values()]
        self.take_out(settings)
        assert apply.build_snapshot(payment).expiry_margin > max(margins)

    def test_records_a_cancellation_until_it_is_back(
        self, payment: Transaction, settings: Settings
    ) -> None:
        self.take_out(settings)
        assert lifecycle.cancel_payment(transaction_id=payment.pk).cancel_code == "cancelled"

    def test_can_neither_take_nor_release_what_it_holds(
        self, payment: Transaction, settings: Settings
    ) -> None:
        apply_outcome(payment, held(payment))
        self.take_out(settings)
        with pytest.raises(NotCancellable, match="stripe_b is not configured"):
            lifecycle.cancel_payment(transaction_id=payment.pk)
        with pytest.raises(NotCapturable, match="stripe_b is not configured"):
            lifecycle.capture_payment(transaction_id=payment.pk)


class TestANameWithOtherCredentials:
    @pytest.fixture
    def payment(self, settings: Settings) -> Transaction:
        request = payment_request(OrderFactory.create(), method="momo")
        row = started(request).transaction
        work(row, Outcome(OutcomeKind.ACTION_REQUIRED))
        entry = settings_file.GATEWAYS["momo"]
        other = {**entry, "options": entry["options"] | {"partner_code": "MOMOOTHER"}}
        settings.GATEWAYS = {**settings.GATEWAYS, "momo": other}
        forget()
        return row

    def test_is_never_asked_about_the_payments_of_the_old_ones(self, payment: Transaction) -> None:
        assert plan(payment) == []
        assert (payment.status, payment.failures, payment.lease_until) == (
            Status.PROCESSING,
            1,
            None,
        )
        case = Case.objects.get(transaction=payment)
        assert case.kind == CaseKind.CONFLICT
        assert case.detail["differences"] == {
            "account": f"MOMOOTHER, not {payment.gateway_account}",
        }
        assert plan(payment) == []
        assert Case.objects.count() == 1
        assert check() == []

    def test_is_asked_again_when_the_old_ones_are_back(
        self, payment: Transaction, settings: Settings
    ) -> None:
        assert plan(payment) == []
        settings.GATEWAYS = settings_file.GATEWAYS
        forget()
        assert [job.operation.verb for job in plan(payment)] == ["QUERY"]


class TestAccounts:
    def test_have_webhook_addresses_of_their_own(self) -> None:
        row = pay()
        work(row, REFUSED, REFUSED)
        [job] = plan(row)
        assert job.operation.details.webhook_url.endswith("/webhooks/stripe_b")

    def test_use_the_protocol_of_their_psp(self) -> None:
        second = registry.gateway("stripe_b")
        assert (second.name, second.psp, second.account) == ("stripe_b", "stripe", "acct_second")
        assert registry.find_psp("stripe_b") == "stripe"
        assert registry.find_psp("closed_last_year") == "closed_last_year"

    def test_keep_the_checks_of_an_order(self) -> None:
        order = OrderFactory.create()
        request = payment_request(order, method="card", payment_token="")
        other = replace(request, money=replace(request.money, currency="USD"))
        with pytest.raises(CurrencyMismatch):
            started(other)
