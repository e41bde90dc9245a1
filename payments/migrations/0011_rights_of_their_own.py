"""Rights with names of their own, for whoever had the ``change_…`` that stood for them."""

from django.db import migrations

# The right of before, on its model -> the one of the same meaning.
RIGHTS = (
    ('transaction', 'change_transaction', 'request_status_query', 'Can request a status query'),
    ('webhookevent', 'change_webhookevent', 'replay_webhook', 'Can replay a webhook'),
    ('case', 'change_case', 'resolve_case', 'Can resolve a case'),
)


def carry_over(apps, schema_editor):
    """Groups and users keep what they could do. On a new database there is nobody yet."""
    content_types = apps.get_model('contenttypes', 'ContentType')
    permissions = apps.get_model('auth', 'Permission')
    for model, old, new, name in RIGHTS:
        content_type = content_types.objects.filter(app_label='payments', model=model).first()
        before = permissions.objects.filter(content_type=content_type, codename=old).first()
        if content_type is None or before is None:
            continue
        # Django makes permissions only after the last migration.
        after, _ = permissions.objects.get_or_create(
            content_type=content_type, codename=new, defaults={'name': name}
        )
        for group in before.group_set.all():
            group.permissions.add(after)
        for user in before.user_set.all():
            user.user_permissions.add(after)


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('contenttypes', '0002_remove_content_type_name'),
        ('accounts', '0001_initial'),
        ('payments', '0010_renamed_values'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='case',
            options={'permissions': [('resolve_case', 'Can resolve a case')]},
        ),
        migrations.AlterModelOptions(
            name='transaction',
            options={'permissions': [('request_status_query', 'Can request a status query')]},
        ),
        migrations.AlterModelOptions(
            name='webhookevent',
            options={'permissions': [('replay_webhook', 'Can replay a webhook')]},
        ),
        migrations.RunPython(carry_over, migrations.RunPython.noop),
    ]
