"""Finding payments: by every number, by the search language, by filters, without counting."""

from collections.abc import Iterable
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.models import AuditEvent
from backoffice.formats import admin_url
from payments.models import GatewayCall, Transaction
from payments.states import Status
from tests.factories import OrderFactory, TransactionFactory, apply_outcome, paid

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("staff_roles")]
LIST = "/admin/payments/transaction/"


def shown(browser: Client, filters: dict[str, str]) -> set[UUID]:
    """The payments on a page of the list."""
    answer = browser.get(LIST, filters)
    assert answer.status_code == 200
    return {row.pk for row in answer.context["cl"].result_list}


def keys(*rows: Transaction) -> set[UUID]:
    return {row.pk for row in rows}


@pytest.fixture
def succeeded() -> Transaction:
    order = OrderFactory.create(email="Linh@example.com", total=150_000)
    return TransactionFactory.create(order=order, status=Status.SUCCESS, psp_reference="14422574")


@pytest.fixture
def failed() -> Transaction:
    order = OrderFactory.create(email="nam@example.com", total=2_000_000)
    return TransactionFactory.create(order=order, status=Status.FAILED)


@pytest.fixture
def by_card() -> Transaction:
    order = OrderFactory.create(email="mai@example.com", total=1_999, currency="USD")
    return TransactionFactory.create(order=order, method="card", status=Status.PROCESSING)


class TestExactId:
    def test_jumps_to_the_payment(
        self, as_support: Client, succeeded: Transaction, failed: Transaction
    ) -> None:
        operation = GatewayCall.objects.get(transaction=succeeded)
        for word in (
            succeeded.public_id,
            succeeded.reference,
            str(succeeded.pk),
            succeeded.psp_reference,
            succeeded.order.public_id,
            str(succeeded.order.number),
            f"#{succeeded.order.number}",
            str(operation.pk),
            f" {succeeded.public_id} ",
        ):
            answer = as_support.get(LIST, {"q": word})
            assert answer.status_code == 302, word
            assert answer.headers["Location"] == admin_url(succeeded), word

    @pytest.mark.parametrize("name", ["charge", "capture_id", "bank_transaction_no"])
    def test_jumps_to_the_payment_by_each_number_of_theirs(
        self, as_support: Client, succeeded: Transaction, failed: Transaction, name: str
    ) -> None:
        Transaction.objects.update(psp_data={name: "3GG279541U471931P", "bank": "NCB"})
        answer = as_support.get(LIST, {"q": "3GG279541U471931P"})
        assert answer.headers["Location"] == admin_url(succeeded)
        assert shown(as_support, {"q": "NCB"}) == set()

    def test_shows_a_list_where_two_payments_fit(
        self, as_support: Client, failed: Transaction
    ) -> None:
        again = TransactionFactory.create(order=failed.order, status=Status.SUCCESS)
        assert shown(as_support, {"q": str(failed.order.number)}) == keys(failed, again)

    def test_shows_a_list_for_an_address(
        self, as_support: Client, succeeded: Transaction, failed: Transaction
    ) -> None:
        assert shown(as_support, {"q": "Linh@example.com"}) == keys(succeeded)
        assert shown(as_support, {"q": "nobody@example.com"}) == set()

    def test_works_on_the_other_lists_too(self, as_support: Client, succeeded: Transaction) -> None:
        for name, row in (
            ("payments_gatewaycall", succeeded.gateway_calls.get()),
            ("payments_transfer", succeeded.transfers.get()),
            ("orders_order", succeeded.order),
        ):
            word = succeeded.order.public_id if name == "orders_order" else succeeded.public_id
            answer = as_support.get(reverse(f"admin:{name}_changelist"), {"q": word})
            assert answer.headers["Location"] == admin_url(row)


class TestSearch:
    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("status:success", {"succeeded"}),
            ("-status:SUCCESS", {"failed", "by_card"}),
            ("amount>1000000", {"failed"}),
            ("amount<20", {"by_card"}),
            ("amount:19.99", {"by_card"}),
            ("method:card", {"by_card"}),
            ("currency:vnd amount<=150000", {"succeeded"}),
            ("failure:insufficient_funds", {"failed"}),
            ("email:linh@example.com", set()),
            ("email:Linh@example.com", {"succeeded"}),
            ("reference:14422574", {"succeeded"}),
            ("applied:yes", {"succeeded"}),
            ("created>2020-01-01 -gateway:stripe", {"succeeded", "failed"}),
            ("created<2020-01-01", set()),
            ("status:failed mai@example.com", set()),
        ],
    )
    def test_finds(
        self, as_support: Client, succeeded: Transaction, failed: Transaction, by_card: Transaction,
        text: str, names: Iterable[str],
    ) -> None:  # fmt: skip
        rows = {"succeeded": succeeded.pk, "failed": failed.pk, "by_card": by_card.pk}
        found = shown(as_support, {"q": text})
        assert found == {rows[name] for name in names}

    def test_names_the_fields_when_one_is_unknown(
        self, as_support: Client, succeeded: Transaction
    ) -> None:
        assert shown(as_support, {"q": "colour:red"}) == set()
        answer = as_support.get(LIST, {"q": "colour:red"})
        assert "There is no field “colour” here" in answer.content.decode()


class TestFilters:
    @pytest.mark.parametrize(
        ("given", "names"),
        [
            ({"status__exact": "FAILED"}, {"failed"}),
            ({"method": "card"}, {"by_card"}),
            ({"gateway": "vnpay"}, {"succeeded", "failed"}),
            ({"currency": "USD"}, {"by_card"}),
            ({"amount_from": "150000"}, {"succeeded", "failed"}),
            ({"amount_from": "19", "amount_to": "20"}, {"by_card"}),
            ({"created_from": "2020-01-01"}, {"succeeded", "failed", "by_card"}),
            ({"created_to": "2020-01-01"}, set()),
            ({"gateway": "vnpay", "q": "status:failed"}, {"failed"}),
            ({"amount_from": "much"}, set()),
        ],
    )
    def test_narrow_the_list(
        self, as_support: Client, succeeded: Transaction, failed: Transaction, by_card: Transaction,
        given: dict[str, str], names: Iterable[str],
    ) -> None:  # fmt: skip
        rows = {"succeeded": succeeded.pk, "failed": failed.pk, "by_card": by_card.pk}
        assert shown(as_support, given) == {rows[name] for name in names}

    def test_cannot_probe_a_column_that_is_not_shown(
        self, as_support: Client, by_card: Transaction
    ) -> None:
        for name in ("payment_token__startswith", "order__customer__password__startswith"):
            assert as_support.get(LIST, {name: "a"}).status_code == 400


class TestSpeed:
    def test_never_counts_and_asks_as_much_for_many_rows_as_for_few(
        self, as_support: Client, succeeded: Transaction
    ) -> None:
        few = self.statements(as_support)
        for _ in range(5):
            TransactionFactory.create(status=Status.SUCCESS)
        many = self.statements(as_support)
        assert len(many) == len(few)
        assert not [sql for sql in many if "COUNT(" in sql.upper()]

    def test_never_counts_the_accounts_either(self, as_admin: Client) -> None:
        with CaptureQueriesContext(connection) as queries:
            answer = as_admin.get(reverse("admin:accounts_user_changelist"), {"q": "admin"})
        assert [user.username for user in answer.context["cl"].result_list] == ["admin"]
        assert not [query for query in queries if "COUNT(" in query["sql"].upper()]

    @staticmethod
    def statements(browser: Client) -> list[str]:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            browser.get(LIST)
            browser.get(LIST, {"q": "status:success"})
        return [query["sql"] for query in queries]

    def test_pages_from_new_to_old(
        self, as_support: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from django.contrib import admin  # noqa: PLC0415 - only this test changes the page size

        page = admin.site._registry[Transaction]
        monkeypatch.setattr(page, "list_per_page", 2)
        rows = [TransactionFactory.create() for _ in range(5)]
        newest_first = [row.pk for row in reversed(rows)]
        pages = [as_support.get(LIST, {"p": number}) for number in (1, 2, 3)]
        found = [row.pk for answer in pages for row in answer.context["cl"].result_list]
        assert found == newest_first
        assert [answer.context["cl"].has_older for answer in pages] == [True, True, False]

    def test_says_so_when_a_search_takes_too_long(
        self, as_support: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from payments.admin.transaction import TransactionAdmin  # noqa: PLC0415 - as above

        def slow(word: str) -> list[object]:
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = 20; SELECT pg_sleep(1)")
            return []

        monkeypatch.setattr(TransactionAdmin, "finders", (slow,))
        answer = as_support.get(LIST, {"q": "a word"})
        assert answer.status_code == 302
        assert answer.headers["Location"] == LIST


class TestReading:
    def test_is_recorded_where_a_page_shows_peoples_data(
        self, as_support: Client, support: object, succeeded: Transaction
    ) -> None:
        as_support.get(admin_url(succeeded))
        as_support.get(admin_url(succeeded.order))
        read = AuditEvent.objects.filter(action="page.read").order_by("occurred_at")
        assert [(event.subject_type, event.subject_id) for event in read] == [
            ("transaction", succeeded.pk),
            ("order", succeeded.order_id),
        ]
        assert {event.actor_kind for event in read} == {"user"}

    def test_of_the_trail_is_one_event_a_page(
        self, as_auditor: Client, succeeded: Transaction
    ) -> None:
        url = reverse("admin:audit_auditevent_changelist")
        as_auditor.get(url, {"q": "actor:linh@example.com"})
        [event] = AuditEvent.objects.filter(action="audit.read")
        assert event.after == {"filter": "q=actor:l***@example.com"}

    def test_names_the_people_behind_the_events(
        self, as_auditor: Client, as_support: Client, succeeded: Transaction
    ) -> None:
        as_support.get(admin_url(succeeded))
        url = reverse("admin:audit_auditevent_changelist")
        html = as_auditor.get(url, {"q": "action:page.read"}).content.decode()
        assert '<td class="field-actor">support</td>' in html
        event = AuditEvent.objects.get(action="page.read")
        assert "support" in as_auditor.get(admin_url(event)).content.decode()

    def test_of_one_request_shows_all_that_it_did(
        self, as_auditor: Client, succeeded: Transaction
    ) -> None:
        event = AuditEvent.objects.filter(subject_id=succeeded.pk).first()
        assert event is not None
        url = reverse("admin:audit_auditevent_changelist")
        answer = as_auditor.get(url, {"q": f"subject:{succeeded.public_id}"})
        assert event.pk in {row.pk for row in answer.context["cl"].result_list}


def test_a_second_success_is_found_as_not_applied(as_support: Client, failed: Transaction) -> None:
    TransactionFactory.create(order=failed.order, status=Status.SUCCESS)
    apply_outcome(failed, paid(failed))
    assert shown(as_support, {"q": "status:success applied:no"}) == keys(failed)
