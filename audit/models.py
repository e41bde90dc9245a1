"""The audit trail: one row for each thing that happened, written once, never changed."""

from typing import ClassVar

import pgtrigger
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from audit.append_only import append_only, current_xid
from durable.ids import uuid7


class AuditEvent(models.Model):
    """Who did what to which row, when, in which request and because of what.

    ``version`` is the subject's version after a change of state: an unbroken sequence for each
    subject. It is NULL for what changes no state (a refused webhook, a page that was read).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    occurred_at = models.DateTimeField(db_default=Now())
    actor_kind = models.CharField(max_length=20)
    actor_id = models.CharField(max_length=100, blank=True)
    action = models.CharField(max_length=60)
    subject_type = models.CharField(max_length=30)
    subject_id = models.UUIDField()
    version = models.PositiveIntegerField(null=True)
    before = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    after = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    cause_type = models.CharField(max_length=20, blank=True)
    cause_id = models.CharField(max_length=100, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    xid = models.BigIntegerField(db_default=current_xid())

    class Meta:
        db_table = "audit_events"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["subject_type", "subject_id", "version"],
                condition=Q(version__isnull=False),
                name="audit_one_event_per_version",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["subject_type", "subject_id", "occurred_at"], name="audit_story"),
            models.Index(fields=["-occurred_at"], name="audit_latest"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = append_only()

    def __str__(self) -> str:
        return f"{self.action} {self.subject_type} {self.subject_id}"
