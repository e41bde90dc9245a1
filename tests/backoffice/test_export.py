"""The CSV of a filtered list: all of it, nothing else, safe in a spreadsheet, on the record."""

import csv
import io

import pytest
from django.core.signals import request_finished
from django.db import close_old_connections
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.models import AuditEvent
from backoffice import export
from payments.models import Transaction
from payments.states import Status
from tests.factories import OrderFactory, TransactionFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("staff_roles")]
URL = "/admin/payments/transaction/export/"


def rows_of(browser: Client, url: str = URL, **filters: str) -> list[dict[str, str]]:
    """What a spreadsheet would show."""
    answer = browser.get(url, filters)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["Content-Disposition"]
    text = answer.getvalue().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


class TestExport:
    def test_holds_the_filtered_rows_in_major_units(self, as_finance: Client) -> None:
        order = OrderFactory.create(total=1_999, currency="USD")
        payment = TransactionFactory.create(order=order, method="card", status=Status.SUCCESS)
        TransactionFactory.create(status=Status.SUCCESS)
        TransactionFactory.create(status=Status.FAILED)
        [found] = rows_of(as_finance, q="status:success", currency="USD")
        assert found["id"] == payment.public_id
        assert found["amount"] == "19.99"
        assert found["captured"] == "19.99"
        assert found["created_at"].endswith("+00:00")

    def test_holds_every_row_though_the_list_shows_a_page(
        self, as_finance: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(export, "ROWS_PER_BATCH", 2)
        rows = [TransactionFactory.create() for _ in range(5)]
        found = [row["id"] for row in rows_of(as_finance)]
        assert found == [row.public_id for row in reversed(rows)]

    def test_says_when_it_was_cut(
        self, as_finance: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(export, "ROWS_PER_BATCH", 2)
        monkeypatch.setattr(export, "ROWS_MAX", 2)
        for _ in range(3):
            TransactionFactory.create()
        assert len(rows_of(as_finance)) == 2
        assert AuditEvent.objects.get(action="export.ended").after["is_complete"] is False

    def test_is_recorded_with_its_filter_and_its_rows(
        self, as_finance: Client, finance: User
    ) -> None:
        TransactionFactory.create()
        rows_of(as_finance, q="-email:linh@other.example status:pending")
        started, ended = AuditEvent.objects.filter(subject_type="export").order_by("occurred_at")
        assert (started.action, ended.action) == ("export.started", "export.ended")
        assert started.subject_id == ended.subject_id
        assert {started.actor_id, ended.actor_id} == {str(finance.pk)}
        assert started.request_id == ended.request_id != ""
        assert ended.after == {
            "list": "transaction",
            "filter": "q=-email:l***@other.example status:pending",
            "rows": 1,
            "is_complete": True,
        }

    def test_is_recorded_when_the_reader_hangs_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(export, "ROWS_PER_BATCH", 1)
        for _ in range(3):
            TransactionFactory.create()
        answer = export.response(
            name="transaction",
            filtered_by="",
            rows=Transaction.objects.all(),
            columns={"id": lambda row: row.public_id},
        )
        lines = iter(answer)
        assert next(lines)
        assert next(lines)
        # A server that has lost its reader closes the answer; only a test keeps its connection.
        request_finished.disconnect(close_old_connections)
        answer.close()
        request_finished.connect(close_old_connections)
        after = AuditEvent.objects.get(action="export.ended").after
        assert (after["rows"], after["is_complete"]) == (1, False)

    def test_is_refused_for_a_search_that_cannot_be_read(self, as_finance: Client) -> None:
        answer = as_finance.get(URL, {"q": "colour:red"})
        assert answer.status_code == 302
        assert not AuditEvent.objects.filter(subject_type="export").exists()

    def test_is_closed_to_a_shopper(self, shopper: User) -> None:
        browser = Client()
        browser.force_login(shopper)
        assert browser.get(URL).status_code == 302
        assert not AuditEvent.objects.filter(subject_type="export").exists()

    @pytest.mark.parametrize(
        "name",
        ["audit_auditevent", "notifications_notification", "orders_order", "payments_case",
         "payments_gatewaycall", "payments_transfer", "payments_webhookevent"],
    )  # fmt: skip
    def test_exists_for_every_list_that_grows(self, as_auditor: Client, name: str) -> None:
        TransactionFactory.create(status=Status.SUCCESS)
        rows_of(as_auditor, reverse(f"admin:{name}_export"))


class TestSafeCell:
    @pytest.mark.parametrize(
        "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\n=x", "  =1+1", "＝1"]
    )
    def test_takes_the_start_of_a_formula_away(self, text: str) -> None:
        assert export.safe_cell(text) == f"'{text}"

    @pytest.mark.parametrize(
        ("value", "text"), [("linh@example.com", "linh@example.com"), (None, ""), (0, "0")]
    )
    def test_leaves_the_rest_as_it_is(self, value: object, text: str) -> None:
        assert export.safe_cell(value) == text

    def test_holds_for_what_a_customer_typed(self, as_finance: Client) -> None:
        order = OrderFactory.create(email="=cmd|calc@example.com")
        TransactionFactory.create(order=order)
        [found] = rows_of(as_finance)
        assert found["email"] == "'=cmd|calc@example.com"
