"""The queues of due payments work: one for each gateway, and one for kept webhooks."""

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import ClassVar, Final

from durable.queues import BatchQueue, Queue
from gateways.outcome import Outcome
from payments.inbox import inbox
from payments.models import Transaction, WebhookEvent
from payments.processing import dispatch, planning
from payments.processing.planning import Job
from payments.routing import breaker, health_probe
from payments.routing.registry import gateway, gateways

# Answers that come within this time of each other are applied in one commit.
GATHER_S: Final = 0.005
# While calls are out and places are free, new rows are looked for this often.
LOOK_AGAIN_S: Final = 0.1
# The calls that are out, each with its job; None is the probe's.
InFlight = dict[Future[Outcome], Job | None]
# One drain starts at most this many operations and is then woken anew.
JOBS_MAX: Final = 5000


class GatewayQueue(Queue):
    """Due transactions of one gateway; ``gateway.stripe`` is the queue of ``stripe``.

    Calls run side by side, as many as the adapter allows, and a free place is filled as soon
    as there is one: a slow call holds up its own place, not the batch.
    """

    drains_max: ClassVar[int] = 1

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._gateway = name.partition(".")[2]

    def has_due_rows(self) -> bool:
        """Whether the gateway is configured, and a transaction there or its probe is due."""
        return self._gateway in gateways() and (
            Transaction.due(gateway=self._gateway).exists() or breaker.is_probe_due(self._gateway)
        )

    def work_until_empty(self) -> bool:
        """Plan, call, settle, until nothing is due and every answer is in."""
        places = gateway(self._gateway).concurrency
        with ThreadPoolExecutor(places, thread_name_prefix=self.name) as pool:
            return self._run(pool, places)

    def _run(self, pool: ThreadPoolExecutor, places: int) -> bool:
        in_flight: InFlight = {}
        # One for each drain: of more, a gateway that hangs would keep it from ever ending.
        if breaker.take_probe(self._gateway):
            in_flight[pool.submit(health_probe.probe, gateway(self._gateway))] = None
        started = 0
        while started < JOBS_MAX:
            jobs = planning.claim_and_plan(
                gateway_name=self._gateway, limit=places - len(in_flight)
            )
            in_flight |= {pool.submit(dispatch.perform, job): job for job in jobs}
            started += len(jobs)
            if not in_flight:
                return True
            self._settle_finished(in_flight)
        while in_flight:
            self._settle_finished(in_flight)
        return False

    def _settle_finished(self, in_flight: InFlight) -> None:
        """Wait a little for an answer, and a moment for more, and settle them together.

        Not for as long as it takes: behind one call that hangs, others would wait for nothing.
        """
        if not wait(in_flight, timeout=LOOK_AGAIN_S, return_when=FIRST_COMPLETED).done:
            return
        done = wait(in_flight, timeout=GATHER_S).done
        heard = [(in_flight.pop(future), future.result()) for future in done]
        if results := [(job, outcome) for job, outcome in heard if job]:
            dispatch.settle(results=results)
        probed = [outcome for job, outcome in heard if job is None]
        breaker.note(gateway_name=self._gateway, outcomes=probed)


class WebhookQueue(BatchQueue[WebhookEvent]):
    """Webhooks that were stored and could not be applied, or matched nothing yet."""

    def has_due_rows(self) -> bool:
        """Whether a kept webhook wants another try."""
        return WebhookEvent.due().exists()

    def claim(self) -> Sequence[WebhookEvent]:
        """Take a batch of kept webhooks."""
        return WebhookEvent.claim(limit=self.batch_size, lease=inbox.LEASE)

    def work(self, rows: Sequence[WebhookEvent]) -> None:
        """Try each again."""
        for row in rows:
            inbox.retry(event=row)
