"""One round of the product: payments go in, and the round is over when the last mail is written."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any, Final

from psycopg2.extensions import connection

from bench.counters import Counters, Counts
from bench.environment import Environment
from bench.figures import per_minute
from bench.load import Job, Result
from bench.options import Options
from bench.orders import Kind, make_payments
from bench.processes import Usage, usage
from local.stack import ROOT

END_POLL_S: Final = 0.1
END_LIMIT_S: Final = 120.0
LOAD_LIMIT_S: Final = 600.0
LOAD: Final = "load"

_UNFINISHED: Final = """
SELECT (SELECT count(*) FROM transactions WHERE status IN ('PENDING', 'PROCESSING', 'AUTHORIZED'))
    + (SELECT count(*) FROM notifications WHERE due_at IS NOT NULL)
"""
# A full payment ends with the last of: its webhook applied, its mail written.
_FINISHED: Final = """
SELECT count(*), extract(epoch FROM max(greatest(n.sent_at, w.applied_at)))
FROM transactions t
JOIN transfers f ON f.transaction_id = t.id
JOIN notifications n ON n.subject_id = t.id AND n.sent_at IS NOT NULL
JOIN LATERAL (
    SELECT max(applied_at) AS applied_at FROM webhook_events e WHERE e.transaction_id = t.id
) w ON w.applied_at IS NOT NULL
WHERE t.id = ANY(%s::uuid[]) AND t.status = 'SUCCESS' AND t.applied
"""


@dataclass(frozen=True)
class Round:
    """``payments`` are full ones; ``seconds`` from the first POST to the end of the last."""

    payments: int
    seconds: float
    post_ms: list[float]
    looks: int
    counts: Counts
    cpu_s: Mapping[str, float]
    errors: list[str]

    @property
    def per_minute(self) -> float:
        """Full payments per minute."""
        return per_minute(self.payments, self.seconds)


class Rounds:
    """Runs rounds in one environment."""

    def __init__(self, environment: Environment, options: Options, token: str) -> None:
        self._environment = environment
        self._options = options
        self._token = token
        self.counters = Counters(environment)

    def run(self, kinds: Sequence[Kind], payments: int, *, rate: int = 0) -> Round:
        """Run one round: ``rate`` POSTs per minute, or as many as possible with 0."""
        job = Job(
            base_url=self._environment.settings["BASE_URL"],
            sandbox_url=self._environment.settings["SANDBOX_URL"],
            token=self._token,
            payments=make_payments(self._environment, kinds, payments),
            rate=rate,
            posters=self._options.posters,
            shoppers=self._options.shoppers,
        )
        before = self.usage()
        self.counters.start()
        result = _load(job)
        finished, ended_at = self._wait_for_end(result)
        counts = self.counters.stop()
        after = self.usage()
        missing = len(job.payments) - finished
        trouble = [f"{missing} payments are not finished"] if missing else []
        return Round(
            payments=finished,
            seconds=ended_at - result.started_at,
            post_ms=result.post_ms,
            looks=result.looks,
            counts=counts,
            cpu_s=_subtract_usage(before, after) | {LOAD: result.cpu_s},
            errors=result.errors + trouble,
        )

    def usage(self) -> dict[str, Usage]:
        """Processor time and memory of each process of the system."""
        stack, servers = self._environment.stack, self._environment.servers
        pids = {name: stack.pid(name) for name in stack.names()}
        pids |= {
            name: server.pid
            for name, server in (("postgres", servers.postgres), ("valkey", servers.redis))
            if server is not None
        }
        return usage(pids)

    def _wait_for_end(self, result: Result) -> tuple[int, float]:
        ids = [payment.removeprefix("pay_") for payment in result.payments]
        deadline = time.monotonic() + END_LIMIT_S
        with closing(self._environment.connect_as_superuser(self.counters.database)) as superuser:
            while time.monotonic() < deadline:
                if _fetch_row(superuser, _UNFINISHED)[0] == 0:
                    finished, ended_at = _fetch_row(superuser, _FINISHED, [ids])
                    if finished == len(ids):
                        return finished, float(ended_at or time.time())
                time.sleep(END_POLL_S)
            return _fetch_row(superuser, _FINISHED, [ids])[0], time.time()


def _fetch_row(
    superuser: connection, query: str, parameters: Sequence[Any] = ()
) -> tuple[Any, ...]:
    with superuser.cursor() as at:
        at.execute(query, parameters)
        row: tuple[Any, ...] | None = at.fetchone()
    assert row is not None
    return row


def _load(job: Job) -> Result:
    """Run ``job`` in a process of its own, so that its processor time is counted apart."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=json.dumps(asdict(job)),
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=LOAD_LIMIT_S,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"the load failed: {done.stderr[-1000:]}")
    return Result(**json.loads(done.stdout))


def _subtract_usage(before: Mapping[str, Usage], after: Mapping[str, Usage]) -> dict[str, float]:
    return {name: after[name].cpu_s - before[name].cpu_s for name in after if name in before}
