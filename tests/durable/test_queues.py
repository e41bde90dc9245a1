"""Draining, waking and sweeping: a wake-up may be lost, a row never."""

import logging
import time
from collections.abc import Callable
from typing import ClassVar

import pytest
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError as BrokerDown

from durable import queues as durable_queues
from durable import wake as waking
from durable.queues import BatchQueue, queues
from durable.tasks import drain, queues_with_work, sweep
from durable.wake import send, wake
from notifications.models import Notification
from tests.factories import NotificationFactory

PATIENCE_S = 10.0


class CountingQueue(BatchQueue[Notification]):
    """Hands out as many batches as it was told, of rows that need no database."""

    batches: ClassVar[int] = 0

    def has_due_rows(self) -> bool:
        return type(self).batches > 0

    def claim(self) -> list[Notification]:
        if type(self).batches == 0:
            return []
        type(self).batches -= 1
        return [Notification()]

    def work(self, rows: object) -> None:
        """Leave them as they are."""


@pytest.mark.django_db(transaction=True)
class TestDraining:
    def test_goes_on_until_nothing_is_due(self) -> None:
        CountingQueue.batches = 7
        assert CountingQueue("counting").drain()
        assert CountingQueue.batches == 0

    def test_lets_the_other_queues_have_a_turn(self) -> None:
        CountingQueue.batches = durable_queues.BATCHES_MAX + 5
        assert not CountingQueue("counting").drain()
        assert CountingQueue.batches == 5

    def test_holds_no_more_threads_than_it_may(self) -> None:
        queue = CountingQueue("counting")
        CountingQueue.batches = 1
        for _ in range(queue.drains_max):
            assert queue._slots.acquire(blocking=False)
        assert queue.drain()
        assert CountingQueue.batches == 1


@pytest.mark.django_db(transaction=True)
class TestSweep:
    def test_finds_every_queue_with_due_rows_and_no_other(self) -> None:
        assert queues_with_work() == set()
        NotificationFactory.create()
        assert queues_with_work() == {"notifications"}

    def test_wakes_what_it_found(self, sent: list[str]) -> None:
        NotificationFactory.create()
        sweep()
        assert sent == ["notifications"]

    def test_is_what_makes_lost_messages_harmless(self) -> None:
        NotificationFactory.create()
        current_app.control.purge()
        for name in queues_with_work():
            drain(queue=name)
        assert queues_with_work() == set()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is published, in place of publishing it."""
    names: list[str] = []
    # What the test before has woken goes out first.
    time.sleep(2 / waking.SENDS_PER_SECOND_MAX)

    def publish(task: str, *, queue: str, retry: bool, **_: object) -> None:
        assert (task, retry) == ("durable.drain", False)
        names.append(queue)

    monkeypatch.setattr(current_app, "send_task", publish)
    return names


def until(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE_S
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


@pytest.mark.django_db(transaction=True)
class TestWake:
    def test_says_nothing_before_the_commit(self, sent: list[str]) -> None:
        with transaction.atomic():
            wake("notifications")
            time.sleep(0.1)
            assert sent == []
        assert until(lambda: sent == ["notifications"])

    def test_says_nothing_after_a_rollback(self, sent: list[str]) -> None:
        with transaction.atomic():
            wake("notifications")
            transaction.set_rollback(True)
        time.sleep(0.1)
        assert sent == []

    def test_coalesces_what_comes_together(self, sent: list[str]) -> None:
        with transaction.atomic():
            for _ in range(1000):
                wake("notifications")
        assert until(lambda: len(sent) >= 1)
        time.sleep(0.1)
        assert len(sent) <= 10

    def test_with_redis_down_neither_fails_nor_waits(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise BrokerDown("nobody listens")

        with monkeypatch.context() as patch:
            patch.setattr(current_app, "send_task", refuse)
            with caplog.at_level(logging.WARNING, logger="durable.wake"):
                started = time.monotonic()
                for _ in range(100):
                    wake("notifications")
                assert time.monotonic() - started < 1
                assert until(lambda: "wake_up_not_sent" in caplog.messages)

    def test_goes_on_once_redis_is_back(self, sent: list[str]) -> None:
        wake("webhooks")
        assert until(lambda: "webhooks" in sent)


class TestSend:
    def test_names_each_queue_once_in_order(self, sent: list[str]) -> None:
        send({"webhooks", "notifications"})
        assert sent == ["notifications", "webhooks"]

    def test_limits_how_often_it_speaks(self) -> None:
        assert waking.SENDS_PER_SECOND_MAX == 10


class TestQueues:
    def test_are_those_of_the_settings(self) -> None:
        names = {"gateway.stripe", "gateway.paypal", "gateway.vnpay", "gateway.momo"}
        assert set(queues()) == names | {"webhooks", "notifications"}
