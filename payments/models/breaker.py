"""The circuit breaker of one gateway, shared by all workers and seen by staff."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class GatewayBreaker(models.Model):
    """Open while ``opened_at`` is set: no calls but a probe at ``probe_at`` and after."""

    gateway = models.CharField(max_length=20, primary_key=True)
    # Calls in a row that brought no usable answer.
    failures = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField(null=True, blank=True)
    probe_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "gateway_breakers"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(opened_at__isnull=True, probe_at__isnull=True)
                | Q(opened_at__isnull=False, probe_at__isnull=False),
                name="open_breaker_has_a_probe",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {'open' if self.opened_at else 'closed'}"
