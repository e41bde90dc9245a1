"""Rows in and out by plain statements: the same rows that the ORM would write and read."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import AuditEvent
from durable import bulk
from durable.ids import uuid7
from notifications.models import MessageChannel, Notification
from tests.concurrently import concurrently

pytestmark = pytest.mark.django_db(transaction=True)


def notice(key: str, **values: Any) -> Notification:
    return Notification(
        event_key=key, template="payment_paid", channel=MessageChannel.EMAIL,
        recipient="a@example.com",
        locale="vi", subject_id=uuid7(), context={"amount": 1, "name": "Đàn tranh %s {0}"},
        **values,
    )  # fmt: skip


class TestInsert:
    def test_writes_what_the_orm_reads_back(self) -> None:
        row = notice("one", due_at=Now())
        bulk.insert([row])
        stored = Notification.objects.get()
        assert stored.context == {"amount": 1, "name": "Đàn tranh %s {0}"}
        assert (stored.pk, stored.subject_id) == (row.pk, row.subject_id)
        assert stored.due_at is not None
        assert abs(stored.due_at - timezone.now()) < timedelta(seconds=10)
        assert stored.created_at == stored.due_at

    def test_lets_the_database_fill_in_its_defaults(self) -> None:
        event = AuditEvent(action="x", subject_type="y", subject_id=uuid7(), actor_kind="system")
        bulk.insert([event])
        assert AuditEvent.objects.get(pk=event.pk).xid > 0

    def test_takes_many_rows_in_one_statement(self) -> None:
        rows = [notice(f"key-{n}") for n in range(20)]
        with CaptureQueriesContext(connection) as statements:
            bulk.insert(rows)
        assert len(statements) == 1
        assert Notification.objects.count() == 20

    def test_of_nothing_says_nothing(self) -> None:
        with CaptureQueriesContext(connection) as statements:
            bulk.insert([])
        assert len(statements) == 0

    def test_raises_for_a_row_that_is_there(self) -> None:
        bulk.insert([notice("one")])
        with pytest.raises(IntegrityError):
            bulk.insert([notice("two"), notice("one")])
        assert Notification.objects.count() == 1

    def test_drops_what_is_there_where_that_is_wanted(self) -> None:
        bulk.insert([notice("one")])
        bulk.insert([notice("one"), notice("two")], unless_there=True)
        assert Notification.objects.count() == 2


class TestInsertNew:
    def test_says_whether_it_was_the_first(self) -> None:
        assert bulk.insert_new(notice("one"))
        assert not bulk.insert_new(notice("one"))

    def test_lets_one_of_many_at_once_be_the_first(self) -> None:
        firsts = concurrently(*[lambda: bulk.insert_new(notice("one"))] * 8)
        assert sorted(firsts) == [False] * 7 + [True]


class TestUpdate:
    def test_gives_each_row_its_own_values_in_one_statement(self) -> None:
        rows = [notice(f"key-{n}") for n in range(3)]
        bulk.insert(rows)
        changes = {row.pk: {"title": f"Title {n}", "sent_at": None} for n, row in enumerate(rows)}
        with CaptureQueriesContext(connection) as statements:
            bulk.update(Notification, changes)
        assert len(statements) == 1
        titles = dict(Notification.objects.values_list("pk", "title"))
        assert titles == {row.pk: f"Title {n}" for n, row in enumerate(rows)}

    def test_takes_rows_with_different_fields(self) -> None:
        first, second = notice("one"), notice("two")
        bulk.insert([first, second])
        now = timezone.now()
        changes: dict[Any, dict[str, Any]] = {
            first.pk: {"context": {"a": None}},
            second.pk: {"sent_at": now, "failures": 2},
        }
        bulk.update(Notification, changes)
        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.context, first.sent_at) == ({"a": None}, None)
        assert (second.sent_at, second.failures, second.context["amount"]) == (now, 2, 1)

    def test_leaves_all_other_rows_alone(self) -> None:
        first, second = notice("one"), notice("two")
        bulk.insert([first, second])
        bulk.update(Notification, {first.pk: {"title": "Mine"}, second.pk: {}})
        second.refresh_from_db()
        assert second.title == ""

    def test_refuses_a_field_that_is_none(self) -> None:
        with pytest.raises(LookupError):
            bulk.update(Notification, {uuid7(): {"colour": "blue"}})


class TestSelect:
    def test_reads_what_the_orm_reads(self) -> None:
        bulk.insert([notice("one", title="T"), notice("two")])
        [row] = bulk.select(Notification, "WHERE event_key = %s", ["one"])
        same = Notification.objects.get(event_key="one")
        assert {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields} == {
            f.attname: getattr(same, f.attname) for f in same._meta.concrete_fields
        }
        assert not row._state.adding

    def test_locks_as_its_words_say(self) -> None:
        bulk.insert([notice("one")])
        with transaction.atomic():
            bulk.select(Notification, "FOR NO KEY UPDATE", [])
            [seen] = concurrently(_rows_that_nobody_holds)
        assert seen == []
        assert len(_rows_that_nobody_holds()) == 1


class TestUpdateReturning:
    def test_gives_the_rows_as_they_are_afterwards(self) -> None:
        bulk.insert([notice("one"), notice("two")])
        tail = "SET title = %s WHERE t.event_key = %s"
        [row] = bulk.update_returning(Notification, tail, ["New", "one"])
        assert (row.title, row.event_key) == ("New", "one")


def _rows_that_nobody_holds() -> list[Notification]:
    with transaction.atomic():
        return bulk.select(Notification, "FOR NO KEY UPDATE SKIP LOCKED", [])
