"""The two Celery tasks that everything runs through. Both may be lost, late or doubled."""

from celery import shared_task

from durable.queues import queues
from durable.wake import DRAIN_TASK, send


@shared_task(name=DRAIN_TASK)
def drain(*, queue: str, **_: object) -> None:
    """Work through the due rows of ``queue``."""
    if not queues()[queue].drain():
        send({queue})


@shared_task(name="durable.sweep")
def sweep(**_: object) -> None:
    """Wake every queue that has due rows: what makes certain what wake-ups only make fast."""
    send(queues_with_work())


def queues_with_work() -> set[str]:
    """The names of the queues in which something is due now."""
    return {name for name, queue in queues().items() if queue.has_due_rows()}
