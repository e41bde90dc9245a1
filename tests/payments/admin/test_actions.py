"""The few things staff can do: who may, what it does, and that it is on the trail."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEvent
from backoffice.formats import admin_url
from gateways.outcome import Outcome, OutcomeKind
from payments.cases.opening import CaseReport, open_cases
from payments.inbox import inbox
from payments.models import Case, CaseKind, CaseState, Transaction, WebhookEvent, WebhookState
from payments.services import lifecycle
from payments.services.staff import process_webhook_again, request_status_query
from payments.states import Status
from tests.factories import TransactionFactory, apply_outcome, begin
from tests.fixtures import BrowserOf

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("staff_roles")]
REASON = "Refunded by hand at the gateway, see ticket 17."


def url_of(name: str, key: UUID) -> str:
    return reverse(f"admin:payments_{name}", args=[key])


@pytest.fixture
def case() -> Case:
    payment = TransactionFactory.create(status=Status.SUCCESS)
    open_cases([CaseReport(CaseKind.DUPLICATE, transaction=payment, money=payment.money)])
    return Case.objects.get()


class TestResolvingACase:
    def test_is_done_by_a_named_person_with_a_reason(
        self, as_finance: Client, finance: User, case: Case
    ) -> None:
        url = url_of("case_resolve", case.pk)
        assert "Resolve this case" in as_finance.get(admin_url(case)).content.decode()
        assert as_finance.get(url).status_code == 200
        answer = as_finance.post(url, {"resolution": REASON})
        assert answer.headers["Location"] == admin_url(case)
        case.refresh_from_db()
        assert (case.state, case.resolved_by, case.resolution) == (
            CaseState.RESOLVED, finance, REASON
        )  # fmt: skip
        event = AuditEvent.objects.get(action="case.resolved")
        assert (event.actor_kind, event.actor_id) == ("user", str(finance.pk))
        assert event.after["resolution"] == REASON

    @pytest.mark.parametrize("role", ["support", "auditor"])
    def test_is_refused_to_others(
        self, request: pytest.FixtureRequest, browser_of: BrowserOf, case: Case, role: str
    ) -> None:
        browser = browser_of(request.getfixturevalue(role))
        assert "Resolve this case" not in browser.get(admin_url(case)).content.decode()
        url = url_of("case_resolve", case.pk)
        assert browser.get(url).status_code == 403
        assert browser.post(url, {"resolution": REASON}).status_code == 403
        case.refresh_from_db()
        assert case.state == CaseState.OPEN

    @pytest.mark.parametrize(
        "reason", ["", "   ", "too short", "the card was 4242 4242 4242 4242, refunded"]
    )
    def test_needs_words_that_may_be_kept(
        self, as_finance: Client, case: Case, reason: str
    ) -> None:
        answer = as_finance.post(url_of("case_resolve", case.pk), {"resolution": reason})
        assert answer.status_code == 200
        case.refresh_from_db()
        assert case.state == CaseState.OPEN

    def test_happens_once(self, as_finance: Client, as_admin: Client, case: Case) -> None:
        url = url_of("case_resolve", case.pk)
        as_finance.post(url, {"resolution": REASON})
        as_admin.post(url, {"resolution": "I would have said something else."})
        case.refresh_from_db()
        assert case.resolution == REASON
        assert AuditEvent.objects.filter(action="case.resolved").count() == 1

    def test_cannot_be_forged_by_another_site(self, finance: User, case: Case) -> None:
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(finance)
        answer = browser.post(url_of("case_resolve", case.pk), {"resolution": REASON})
        assert answer.status_code == 403
        case.refresh_from_db()
        assert case.state == CaseState.OPEN


class TestAskingTheGateway:
    @pytest.fixture
    def waiting(self) -> Transaction:
        """A payment whose next look is far away."""
        payment: Transaction = TransactionFactory.create(status=Status.PROCESSING)
        later = timezone.now() + timedelta(hours=1)
        Transaction.objects.filter(pk=payment.pk).update(due_at=later, lease_until=None)
        payment.refresh_from_db()
        return payment

    def test_makes_it_due_and_is_recorded(
        self, as_support: Client, support: User, waiting: Transaction
    ) -> None:
        answer = as_support.post(url_of("transaction_ask", waiting.pk))
        assert answer.headers["Location"] == admin_url(waiting)
        payment = Transaction.objects.get(pk=waiting.pk)
        assert payment.due_at is not None
        assert payment.due_at <= timezone.now() + timedelta(minutes=6)
        assert payment.status == Status.PROCESSING
        event = AuditEvent.objects.get(action="transaction.gateway_asked")
        assert (event.subject_id, event.actor_id) == (waiting.pk, str(support.pk))

    @pytest.mark.django_db(transaction=True)
    def test_is_recorded_only_when_it_has_been_done(
        self, waiting: Transaction, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(queue: str) -> None:
            raise OperationalError("the connection was lost")

        monkeypatch.setattr(lifecycle, "wake", fail)
        due_at = waiting.due_at
        with pytest.raises(OperationalError):
            request_status_query(transaction_id=waiting.pk)
        waiting.refresh_from_db()
        assert waiting.due_at == due_at
        assert not AuditEvent.objects.filter(action="transaction.gateway_asked").exists()

    def test_is_refused_to_the_auditor(self, as_auditor: Client, waiting: Transaction) -> None:
        assert as_auditor.post(url_of("transaction_ask", waiting.pk)).status_code == 403
        assert Transaction.objects.get(pk=waiting.pk).due_at == waiting.due_at

    @pytest.mark.parametrize("status", [Status.PENDING, Status.SUCCESS, Status.FAILED])
    def test_is_not_offered_where_nothing_is_open_at_the_gateway(
        self, as_support: Client, status: Status
    ) -> None:
        payment = TransactionFactory.create(status=status)
        assert "Ask the gateway now" not in as_support.get(admin_url(payment)).content.decode()
        as_support.post(url_of("transaction_ask", payment.pk))
        assert not AuditEvent.objects.filter(action="transaction.gateway_asked").exists()


class TestProcessingAWebhookAgain:
    @staticmethod
    def event(state: WebhookState, *, verified: bool = True) -> WebhookEvent:
        return WebhookEvent.objects.create(
            gateway="vnpay",
            event_id="e-1" if verified else "",
            verified=verified,
            state=state,
            body=b"",
            failures=60 if verified else 0,
        )

    @pytest.mark.parametrize(
        ("state", "verified"),
        [
            (WebhookState.NEW, True),
            (WebhookState.PARKED, True),
            (WebhookState.UNVERIFIED, False),
        ],
    )
    def test_makes_it_due_with_all_its_tries_and_is_recorded(
        self, as_support: Client, state: WebhookState, verified: bool
    ) -> None:
        event = self.event(state, verified=verified)
        as_support.post(url_of("webhookevent_again", event.pk))
        event.refresh_from_db()
        assert event.due_at is not None
        assert (event.failures, event.state) == (0, state)
        assert AuditEvent.objects.get(action="webhook.process_again").subject_id == event.pk
        assert WebhookEvent.claim(limit=1, lease=inbox.LEASE) == [event]

    def test_does_nothing_when_a_worker_was_faster(self) -> None:
        event = self.event(WebhookState.APPLIED)
        assert process_webhook_again(event_id=event.pk) is False
        event.refresh_from_db()
        assert event.due_at is None

    @pytest.mark.parametrize(
        ("state", "verified"),
        [
            (WebhookState.APPLIED, True),
            (WebhookState.MISMATCH, True),
            (WebhookState.REJECTED, False),
            (WebhookState.REPLACED, False),
        ],
    )
    def test_leaves_alone_what_is_done_or_not_genuine(
        self, as_support: Client, state: WebhookState, verified: bool
    ) -> None:
        event = self.event(state, verified=verified)
        as_support.post(url_of("webhookevent_again", event.pk))
        event.refresh_from_db()
        assert event.due_at is None
        assert not AuditEvent.objects.filter(action="webhook.process_again").exists()


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (WebhookState.UNVERIFIED, "not verified yet: PayPal could not be asked"),
        (WebhookState.REPLACED, "right, verified later"),
        (WebhookState.REJECTED, "refused: PayPal could not be asked"),
    ],
)
def test_a_webhook_that_came_unproven_says_how_it_stands(
    as_support: Client, state: WebhookState, said: str
) -> None:
    event = WebhookEvent.objects.create(
        gateway="paypal",
        verified=False,
        state=state,
        body=b"{}",
        refused_because="PayPal could not be asked",
    )
    assert said in as_support.get(admin_url(event)).content.decode()


def test_a_payment_that_nobody_answered_is_open_not_failed(as_support: Client) -> None:
    payment = TransactionFactory.create()
    begin(payment)
    apply_outcome(payment, Outcome(OutcomeKind.UNKNOWN))
    html = as_support.get(admin_url(payment)).content.decode()
    assert "nothing definite yet" in html
    assert "It has not failed" in html
