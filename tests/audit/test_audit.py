"""The audit trail: what it holds, who it names, and that nobody changes it."""

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from rest_framework.test import APIClient

from audit import services
from audit.actions import AuditAction
from audit.context import Actor, acting, current_actor, current_request_id, in_request
from audit.models import AuditEvent
from durable.ids import uuid7
from payments.states import Status
from tests.factories import TransactionFactory
from tests.vnpay_ipn import ipn

pytestmark = pytest.mark.django_db(transaction=True)

APPEND_ONLY = ["audit_events", "transfers", "ledger_accounts"]


class TestAppendOnlyTables:
    @pytest.mark.parametrize("table", APPEND_ONLY)
    @pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {}",
                                           "TRUNCATE {} CASCADE"])  # fmt: skip
    def test_refuse_every_change(self, table: str, statement: str) -> None:
        TransactionFactory.create(status=Status.SUCCESS)
        with pytest.raises(DatabaseError), connection.cursor() as cursor:
            cursor.execute(statement.format(table))

    def test_keep_the_raw_webhook_as_it_came(self, client: Client) -> None:
        client.get(ipn(TransactionFactory.create(status=Status.PROCESSING)))
        for column in ("body = 'x'", "query_string = ''", "headers = '[]'", "verified = false"):
            with pytest.raises(DatabaseError), connection.cursor() as cursor:
                cursor.execute(f"UPDATE webhook_events SET {column}")  # noqa: S608 - ours
        with pytest.raises(DatabaseError), connection.cursor() as cursor:
            cursor.execute("DELETE FROM webhook_events")


class TestAuditEvent:
    def test_holds_nothing_secret(self) -> None:
        event = services.event(
            action=AuditAction.PAGE_READ, subject_type="x", subject_id=uuid7(),
            before={"card": "4111 1111 1111 1111"},
            after={"client_secret": "s", "email": "linh@example.com", "note": "Bearer abc.def"},
        )  # fmt: skip
        assert event.before == {"card": "•" * 12 + "1111"}
        assert event.after == {
            "client_secret": "[redacted]",
            "email": "l***@example.com",
            "note": "[redacted]",
        }

    def test_is_written_with_what_it_records_or_not_at_all(self) -> None:
        payment = TransactionFactory.create(status=Status.SUCCESS)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT xmin::text FROM transfers WHERE transaction_id = %s", [payment.pk]
            )
            written = cursor.fetchone()
            cursor.execute(
                "SELECT xmin::text FROM audit_events WHERE action = 'transaction.success'"
            )
            assert cursor.fetchone() == written

    def test_numbers_the_states_of_its_subject_without_a_gap(self) -> None:
        payment = TransactionFactory.create(status=Status.SUCCESS)
        story = AuditEvent.objects.filter(subject_id=payment.pk).order_by("version")
        assert list(story.values_list("version", "before__status", "after__status")) == [
            (1, None, "PENDING"),
            (2, "PENDING", "PROCESSING"),
            (3, "PROCESSING", "SUCCESS"),
        ]

    def test_names_one_event_for_each_version(self) -> None:
        subject = uuid7()
        events = [
            services.event(
                action=AuditAction.PAGE_READ, subject_type="x", subject_id=subject, version=1
            )
            for _ in range(2)
        ]
        with pytest.raises(DatabaseError, match="audit_one_event_per_version"):
            services.record(events)


class TestContext:
    def test_ends_with_its_block(self) -> None:
        with acting(Actor("user", "7")), in_request("r1"):
            assert (current_actor(), current_request_id()) == (Actor("user", "7"), "r1")
        assert (current_actor().kind, current_request_id()) == ("system", "")

    @pytest.mark.parametrize("offered", ["abc-1.2_3", "x" * 64])
    def test_takes_the_clients_name_for_its_request(
        self, anonymous: APIClient, offered: str
    ) -> None:
        answer = anonymous.get("/products", headers={"X-Request-Id": offered})
        assert answer.headers["X-Request-Id"] == offered

    @pytest.mark.parametrize("offered", ["", "a b", "x" * 65, "a\r\nSet-Cookie: x", "é", "<b>"])
    def test_gives_it_another_where_that_is_no_name(
        self, anonymous: APIClient, offered: str
    ) -> None:
        answer = anonymous.get("/products", headers={"X-Request-Id": offered})
        assert len(answer.headers["X-Request-Id"]) == 32

    def test_does_not_leak_into_the_next_request(
        self, api: APIClient, anonymous: APIClient
    ) -> None:
        api.get("/orders")
        anonymous.get("/products")
        assert current_actor().kind == "system"
