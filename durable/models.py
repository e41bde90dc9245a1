"""A row that says when it wants work next, and who has it until when.

The table itself is the queue. ``due_at`` NULL means: nothing to do. A worker takes a batch with
``claim``; leases and every comparison use the database's clock, so a wrong clock on a worker
changes nothing. ``attempt`` grows with each claim and is the fence: whoever writes about a row
it works on names the attempt it was given, and a worker that slept through its lease finds that
the number has moved on.
"""

from datetime import timedelta
from operator import attrgetter
from typing import Any, ClassVar, Final, Self

from django.db import models
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from durable import bulk
from durable.backoff import Backoff

# One statement: what is locked and what is taken cannot differ. The array is gathered once,
# where a joined query might be run again and take more than its limit.
_CLAIM: Final = """
SET attempt = t.attempt + 1, lease_until = STATEMENT_TIMESTAMP() + %s
WHERE t.id = ANY (ARRAY(
    SELECT id FROM "{table}"
    WHERE (lease_until IS NULL OR lease_until < STATEMENT_TIMESTAMP())
        AND due_at <= STATEMENT_TIMESTAMP(){only}
    ORDER BY due_at LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
))
"""


class DueRow(models.Model):
    """Work that a row asks for by itself."""

    due_at = models.DateTimeField(null=True, blank=True, default=None)
    lease_until = models.DateTimeField(null=True, blank=True, default=None)
    # The fence: how often this row has been claimed.
    attempt = models.PositiveIntegerField(default=0)
    # Failures in a row since the last success; drives the backoff and its limit.
    failures = models.PositiveSmallIntegerField(default=0)

    backoff: ClassVar[Backoff] = Backoff()

    class Meta:
        abstract = True

    @classmethod
    def due(cls, **only: Any) -> "QuerySet[Self]":
        """The rows that may be claimed now, oldest first."""
        free = Q(lease_until__isnull=True) | Q(lease_until__lt=Now())
        rows: QuerySet[Self] = cls._default_manager.filter(free, due_at__lte=Now(), **only)
        return rows.order_by("due_at")

    @classmethod
    def claim(cls, *, limit: int, lease: timedelta, **only: Any) -> list[Self]:
        """Take up to ``limit`` due rows for ``lease``. Call it inside a transaction.

        Rows that another worker is taking at this moment are skipped, not waited for.
        """
        columns = [bulk.find_field(cls, name).column for name in only]
        claiming = _CLAIM.format(
            table=cls._meta.db_table, only="".join(f' AND "{column}" = %s' for column in columns)
        )
        rows = bulk.update_returning(cls, claiming, [lease, *only.values(), limit])
        return sorted(rows, key=attrgetter("due_at"))

    def fenced(self) -> "QuerySet[Self]":
        """This row, as long as nobody has claimed it since: the fenced way to write to it."""
        return type(self)._default_manager.filter(pk=self.pk, attempt=self.attempt)

    def release_lease(self, *, due_in: timedelta | None) -> bool:
        """End the lease after a success. False when the lease had been lost to somebody else."""
        due_at = None if due_in is None else Now() + due_in
        return self.fenced().update(lease_until=None, failures=0, due_at=due_at) == 1

    def reschedule(self, *, due_in: timedelta) -> bool:
        """End the lease without having tried. False when the lease had been lost."""
        return self.fenced().update(lease_until=None, due_at=Now() + due_in) == 1

    def retry_later(self, *, at_least: timedelta = timedelta()) -> bool:
        """End the lease after a failure and try again later. False when the lease was lost.

        Past the limit of its backoff the row is no longer due: it needs a person, and whoever
        owns the table must have said so (see ``is_exhausted``).
        """
        failures = self.failures + 1
        delay = max(self.backoff.delay(failures), at_least)
        due_at = None if self.backoff.is_exhausted(failures) else Now() + delay
        written = self.fenced().update(lease_until=None, failures=failures, due_at=due_at)
        self.failures = failures
        return written == 1

    @property
    def is_exhausted(self) -> bool:
        """Whether the limit of tries is reached and only a person can help."""
        return self.backoff.is_exhausted(self.failures)
