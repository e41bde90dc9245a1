"""The sandbox's own clock. It runs with the machine's and can be moved forward by a test.

Jobs are plain functions: the sandbox changes its state only in steps that never await, so a job
sees and leaves a whole state.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.journal import Journal

# One call may move the clock by at most ten years: further is a mistake, not a test.
ADVANCE_S_MAX = 10 * 366 * 24 * 3600
# The loop's timers are not trusted with waits of days; a long wait is cut into hours.
SLEEP_S_MAX = 3600.0
# Jobs that book further jobs in the past run in the same step, up to this many.
JOBS_AT_ONCE_MAX = 100_000


class Clock:
    """Seconds since 1970, moved by ``advance``; the shift survives a restart."""

    def __init__(self, journal: Journal) -> None:
        """Read the shift from the journal."""
        self._journal = journal
        self._shift_s = float(journal.table("sandbox").get("clock", {}).get("shift_s", 0.0))
        self._jobs: list[tuple[float, int, Callable[[], object]]] = []
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None

    def now(self) -> float:
        """The sandbox's time in seconds since 1970."""
        return time.time() + self._shift_s

    @property
    def shift_s(self) -> float:
        """How far the clock was moved ahead of the machine's."""
        return self._shift_s

    def at(self, when: float, job: Callable[[], object]) -> None:
        """Run a job once the clock has reached ``when``; at once, but not inside this call, if it
        has.
        """
        self._count += 1
        heapq.heappush(self._jobs, (when, self._count, job))
        self._arm()

    async def reached(self, when: float) -> None:
        """Wait until the clock has reached ``when`` and the jobs booked earlier for it have run."""
        done = asyncio.Event()
        self.at(when, done.set)
        await done.wait()

    def advance(self, seconds: float) -> None:
        """Move the clock forward and run, in order of time, every job that has become due."""
        self._set_shift(self._shift_s + seconds)
        self._run_due()

    def reset(self) -> None:
        """Go back to the machine's time; jobs keep their own times."""
        self._set_shift(0.0)
        self._arm()

    def _set_shift(self, shift_s: float) -> None:
        self._shift_s = shift_s
        self._journal.put("sandbox", "clock", {"shift_s": shift_s})

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._jobs:
            wait_s = min(max(self._jobs[0][0] - self.now(), 0.0), SLEEP_S_MAX)
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._run_due)

    def _run_due(self) -> None:
        for _ in range(JOBS_AT_ONCE_MAX):
            if not self._jobs or self._jobs[0][0] > self.now():
                break
            _, _, job = heapq.heappop(self._jobs)
            job()
        self._arm()


def iso(when: float) -> str:
    """RFC 3339 in UTC with microseconds, as the control interface writes times."""
    return (
        datetime.fromtimestamp(when, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    )
