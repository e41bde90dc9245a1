"""The engine that drains one gateway's queue: claims payments, calls the gateway, records results.

Calls run side by side, as many as the adapter allows, and a free place is filled at once: a slow
call occupies its own place and does not delay the others.
"""

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Final

from gateways.outcome import Outcome
from payments.models import Transaction
from payments.processing import dispatch, planning
from payments.processing.planning import Job
from payments.routing import breaker, health_probe
from payments.routing.registry import gateway, gateways

# Answers that come within this time of each other are applied in one commit.
GATHER_S: Final = 0.005
# While calls are under way and places are free, new payments are looked for this often.
POLL_S: Final = 0.1
# One drain starts at most this many operations; then it ends and is woken again.
JOBS_MAX: Final = 5000
# The calls under way, each with its job; None for the health probe.
InFlight = dict[Future[Outcome], Job | None]


def has_work(gateway_name: str) -> bool:
    """True when the gateway is configured, and a payment there or its probe is due."""
    return gateway_name in gateways() and (
        Transaction.due(gateway=gateway_name).exists() or breaker.is_probe_due(gateway_name)
    )


def drain(gateway_name: str) -> bool:
    """Plan, call and record until nothing is due and every answer is in.

    False when it stopped early, at ``JOBS_MAX``, and should be woken again.
    """
    places = gateway(gateway_name).concurrency
    with ThreadPoolExecutor(places, thread_name_prefix=f"gateway.{gateway_name}") as pool:
        return _Drain(gateway_name, pool, places).run()


class _Drain:
    """One drain: the pool of calls, and those under way."""

    def __init__(self, gateway_name: str, pool: ThreadPoolExecutor, places: int) -> None:
        self._gateway = gateway_name
        self._pool = pool
        self._places = places
        self._in_flight: InFlight = {}

    def run(self) -> bool:
        # One probe for each drain: with more, a gateway that hangs would keep it from ending.
        if breaker.take_probe(self._gateway):
            probe = self._pool.submit(health_probe.probe, gateway(self._gateway))
            self._in_flight[probe] = None
        started = 0
        while started < JOBS_MAX:
            started += self._start_calls()
            if not self._in_flight:
                return True
            self._record_finished()
        while self._in_flight:
            self._record_finished()
        return False

    def _start_calls(self) -> int:
        """Fill the free places; how many calls were started."""
        free = self._places - len(self._in_flight)
        jobs = planning.claim_and_plan(gateway_name=self._gateway, limit=free)
        self._in_flight |= {self._pool.submit(dispatch.perform, job): job for job in jobs}
        return len(jobs)

    def _record_finished(self) -> None:
        """Wait ``POLL_S`` for an answer and ``GATHER_S`` for more, and record them together.

        The wait is bounded: one call that hangs must not keep new payments from being claimed.
        """
        if not wait(self._in_flight, timeout=POLL_S, return_when=FIRST_COMPLETED).done:
            return
        done = wait(self._in_flight, timeout=GATHER_S).done
        finished = [(self._in_flight.pop(future), future.result()) for future in done]
        if results := [(job, outcome) for job, outcome in finished if job]:
            dispatch.record_results(results=results)
        probed = [outcome for job, outcome in finished if job is None]
        breaker.note(gateway_name=self._gateway, outcomes=probed)
