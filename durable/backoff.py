"""How long to wait before the next try."""

import random
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Backoff:
    """Doubling delays with jitter: ``first``, twice that, … up to ``longest``.

    ``limit`` is the number of failures in a row after which a person must look; None: never.
    """

    first: timedelta = timedelta(seconds=1)
    longest: timedelta = timedelta(minutes=10)
    limit: int | None = None

    def delay(self, failures: int) -> timedelta:
        """The wait after the ``failures``-th failure in a row: half of it fixed, half random.

        The random half keeps rows that failed together from coming back together.
        """
        doublings = min(failures - 1, 30)
        ceiling: timedelta = min(self.first * 2**doublings, self.longest)
        return ceiling / 2 + ceiling / 2 * random.random()  # noqa: S311 - jitter, not a secret

    def is_exhausted(self, failures: int) -> bool:
        """Whether ``failures`` in a row have reached the limit."""
        return self.limit is not None and failures >= self.limit
