"""Say the states of kept webhooks and the kinds of cases in the words of the glossary."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0009_earlier_sends'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='webhookevent',
            name='unverified_webhook_changes_nothing',
        ),
        migrations.AlterField(
            model_name='transaction',
            name='quiet_until',
            field=models.DateTimeField(blank=True, db_column='quiet_until', null=True),
        ),
        migrations.RenameField(
            model_name='transaction',
            old_name='quiet_until',
            new_name='retry_after_at',
        ),
        migrations.AlterField(
            model_name='case',
            name='kind',
            field=models.CharField(choices=[('mismatch', 'The gateway names other money than we asked for'), ('duplicate', 'A second success for an order that is paid or cancelled'), ('review', 'The gateway has the money and suspects fraud'), ('conflict', 'The gateway contradicts itself'), ('reversal', 'The gateway gave money back or took it back'), ('unmatched', 'A genuine event that matches no payment'), ('unverified', 'A webhook that could not be verified for too long'), ('refused_calls', 'The gateway keeps refusing our calls'), ('still_held', 'The gateway refused to take or to release what it holds'), ('over_age', 'The gateway has said nothing definite for too long'), ('processing_error', 'Our own code fails on this row again and again')], max_length=16),
        ),
        migrations.AlterField(
            model_name='webhookevent',
            name='state',
            field=models.CharField(choices=[('APPLIED', 'Applied'), ('IGNORED', 'Ignored'), ('PARKED', 'Parked'), ('MISMATCH', 'Mismatch'), ('NEW', 'New'), ('REJECTED', 'Rejected'), ('UNVERIFIED', 'Unverified'), ('REPLACED', 'Replaced')], max_length=10),
        ),
        migrations.RunSQL(
            sql=[
                "UPDATE webhook_events SET state = 'REJECTED' WHERE state = 'REFUSED'",
                "UPDATE webhook_events SET state = 'REPLACED' WHERE state = 'PROVEN'",
                "UPDATE cases SET kind = 'processing_error' WHERE kind = 'poison'",
            ],
            reverse_sql=[
                "UPDATE webhook_events SET state = 'REFUSED' WHERE state = 'REJECTED'",
                "UPDATE webhook_events SET state = 'PROVEN' WHERE state = 'REPLACED'",
                "UPDATE cases SET kind = 'poison' WHERE kind = 'processing_error'",
            ],
        ),
        migrations.AddConstraint(
            model_name='webhookevent',
            constraint=models.CheckConstraint(condition=models.Q(('verified', True), models.Q(('applied_at', None), ('event_id', ''), ('state__in', ('REJECTED', 'UNVERIFIED', 'REPLACED')), ('transaction', None)), _connector='OR'), name='unverified_webhook_changes_nothing'),
        ),
    ]
