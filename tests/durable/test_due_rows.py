"""Claim, lease, fence and backoff, on the table that uses them most."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from durable.backoff import Backoff
from notifications.models import Notification
from tests.concurrently import concurrently
from tests.factories import NotificationFactory

pytestmark = pytest.mark.django_db(transaction=True)

MINUTE = timedelta(minutes=1)


def claim(limit: int = 10, lease: timedelta = MINUTE) -> list[Notification]:
    with transaction.atomic():
        return Notification.claim(limit=limit, lease=lease)


def make_due(row: Notification, *, lease_over: bool = False) -> None:
    changes = {"lease_until": timezone.now() - MINUTE} if lease_over else {}
    Notification.objects.filter(pk=row.pk).update(due_at=timezone.now(), **changes)


class TestClaim:
    def test_takes_the_longest_due_first(self) -> None:
        now = timezone.now()
        rows = [NotificationFactory.create(due_at=now - n * MINUTE) for n in (1, 3, 2)]
        assert claim(limit=2) == [rows[1], rows[2]]

    def test_takes_nothing_that_is_not_due(self) -> None:
        NotificationFactory.create(due_at=timezone.now() + MINUTE)
        NotificationFactory.create(due_at=None)
        assert claim() == []

    def test_gives_each_row_to_one_worker(self) -> None:
        rows = {NotificationFactory.create().pk for _ in range(20)}
        taken = [row.pk for batch in concurrently(*[lambda: claim(limit=5)] * 8) for row in batch]
        assert len(taken) == len(set(taken))
        taken += [row.pk for row in claim(limit=20)]
        assert set(taken) == rows

    def test_skips_a_row_that_is_being_taken_instead_of_waiting(self) -> None:
        first, second = NotificationFactory.create(), NotificationFactory.create()
        with transaction.atomic():
            assert Notification.claim(limit=1, lease=MINUTE) == [first]
            assert concurrently(claim) == [[second]]

    def test_leaves_a_leased_row_alone_until_the_lease_is_over(self) -> None:
        row = NotificationFactory.create()
        claim()
        assert claim() == []
        make_due(row, lease_over=True)
        assert [(again.pk, again.attempt) for again in claim()] == [(row.pk, 2)]

    def test_counts_its_attempts(self) -> None:
        row = NotificationFactory.create()
        [claimed] = claim()
        row.refresh_from_db()
        assert claimed.attempt == row.attempt == 1


class TestTheFence:
    def test_lets_only_the_latest_worker_write(self) -> None:
        row = NotificationFactory.create()
        [sleeper] = claim()
        make_due(row, lease_over=True)
        [owner] = claim()
        assert sleeper.fenced().update(title="late") == 0
        assert not sleeper.release_lease(due_in=None)
        assert not sleeper.retry_later()
        assert owner.fenced().update(title="mine") == 1
        assert owner.release_lease(due_in=None)
        row.refresh_from_db()
        assert (row.title, row.failures, row.due_at) == ("mine", 0, None)


class TestGiveBack:
    def test_forgets_the_failures_and_books_the_next_look(self) -> None:
        row = NotificationFactory.create(failures=3)
        [claimed] = claim()
        before = timezone.now()
        assert claimed.release_lease(due_in=MINUTE)
        row.refresh_from_db()
        assert (row.failures, row.lease_until) == (0, None)
        assert row.due_at is not None
        assert before + MINUTE <= row.due_at <= timezone.now() + MINUTE


class TestPutOff:
    def test_tries_again_later(self) -> None:
        row = NotificationFactory.create()
        [claimed] = claim()
        assert claimed.retry_later()
        row.refresh_from_db()
        assert (row.failures, row.lease_until) == (1, None)
        assert row.due_at is not None
        assert row.due_at > timezone.now()
        assert claim() == []

    def test_waits_as_long_as_it_was_asked_to(self) -> None:
        row = NotificationFactory.create()
        [claimed] = claim()
        claimed.retry_later(at_least=timedelta(hours=2))
        row.refresh_from_db()
        assert row.due_at is not None
        assert row.due_at > timezone.now() + timedelta(hours=1, minutes=59)

    def test_stops_at_the_limit_where_only_a_person_helps(self) -> None:
        limit = Notification.backoff.limit
        assert limit is not None
        row = NotificationFactory.create(failures=limit - 1)
        [claimed] = claim()
        claimed.retry_later()
        row.refresh_from_db()
        assert (row.due_at, row.failures, row.is_exhausted) == (None, limit, True)


class TestBackoff:
    BACKOFF = Backoff(first=timedelta(seconds=1), longest=timedelta(seconds=60), limit=5)

    @pytest.mark.parametrize(
        ("failures", "ceiling"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (1000, 60)]
    )
    def test_doubles_up_to_the_longest_with_half_of_it_random(
        self, failures: int, ceiling: float
    ) -> None:
        delays = [self.BACKOFF.delay(failures).total_seconds() for _ in range(200)]
        assert ceiling / 2 <= min(delays)
        assert max(delays) <= ceiling
        assert max(delays) - min(delays) > ceiling / 4

    def test_knows_its_limit(self) -> None:
        assert not self.BACKOFF.is_exhausted(4)
        assert self.BACKOFF.is_exhausted(5)
        assert not Backoff().is_exhausted(10_000)
