"""Many threads that start at the same moment, each with a database connection of its own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connections

T = TypeVar("T")

PATIENCE_S = 30


def concurrently(*jobs: Callable[[], T]) -> list[T]:
    """Run ``jobs`` side by side and return their results in the given order.

    An exception of a job is raised here, after all have ended.
    """
    barrier = Barrier(len(jobs), timeout=PATIENCE_S)

    def run(job: Callable[[], T]) -> T:
        try:
            barrier.wait()
            return job()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(jobs)) as pool:
        futures = [pool.submit(run, job) for job in jobs]
    return [future.result() for future in futures]
