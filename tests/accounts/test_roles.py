"""Roles: a table in code that becomes the rights in the database, whatever was there before."""

from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.roles import ROLES
from accounts.services import ensure_roles
from audit.models import AuditEvent
from config.roles import ROLE_PERMISSIONS
from payments.permissions import REPLAY_WEBHOOK, REQUEST_STATUS_QUERY, RESOLVE_CASE
from tests.factories import PASSWORD, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("staff_roles")]


class TestEnsureRoles:
    @pytest.mark.parametrize("role", ROLES)
    def test_gives_each_role_its_acts_and_no_other_change(self, role: str) -> None:
        granted = {
            f"{permission.content_type.app_label}.{permission.codename}"
            for permission in Group.objects.get(name=role).permissions.all()
        }
        assert {name for name in granted if ".view_" not in name} == ROLE_PERMISSIONS[role]
        assert "payments.view_transaction" in granted
        assert "audit.view_auditevent" in granted
        assert not {name for name in granted if name.startswith(("accounts.", "auth."))}

    def test_takes_away_what_the_table_does_not_hold(self) -> None:
        group = Group.objects.get(name="auditor")
        group.permissions.add(Permission.objects.get(codename="change_case"))
        ensure_roles()
        assert not group.permissions.filter(codename="change_case").exists()

    def test_says_when_the_migrations_have_not_run(self) -> None:
        Permission.objects.filter(codename="resolve_case").delete()
        with pytest.raises(CommandError, match="migrate"):
            call_command("ensure_roles")

    def test_names_the_three_acts(self) -> None:
        acts = {REQUEST_STATUS_QUERY, REPLAY_WEBHOOK, RESOLVE_CASE}
        assert ROLE_PERMISSIONS["finance"] == acts
        assert ROLE_PERMISSIONS["auditor"] == frozenset()


class TestTheRightsOfBefore:
    def test_become_those_of_the_same_meaning(self, support: User) -> None:
        """What a group and a person had by ``change_…``, they have by its own name."""
        carry_over = import_module("payments.migrations.0011_rights_of_their_own").carry_over
        Permission.objects.filter(codename__in=["replay_webhook", "resolve_case"]).delete()
        group = Group.objects.create(name="evening shift")
        group.permissions.add(Permission.objects.get(codename="change_case"))
        support.groups.clear()
        support.user_permissions.add(Permission.objects.get(codename="change_webhookevent"))
        carry_over(apps, None)
        carry_over(apps, None)
        assert group.permissions.filter(codename="resolve_case").count() == 1
        person = User.objects.get(pk=support.pk)
        assert person.has_perm(REPLAY_WEBHOOK)
        assert not person.has_perm(REQUEST_STATUS_QUERY)

    def test_are_nobody_s_on_a_new_database(self) -> None:
        carry_over = import_module("payments.migrations.0011_rights_of_their_own").carry_over
        ContentType.objects.filter(app_label="payments", model="case").delete()
        carry_over(apps, None)
        assert not Permission.objects.filter(codename="resolve_case").exists()


class TestAccounts:
    def test_change_is_on_the_trail(self, as_admin: Client, admin: User, shopper: User) -> None:
        url = reverse("admin:accounts_user_change", args=[shopper.pk])
        group = Group.objects.get(name="support")
        form = {
            "username": "shopper",
            "email": shopper.email,
            "locale": "en",
            "is_active": "on",
            "is_staff": "on",
            "groups": [group.pk],
        }
        assert as_admin.post(url, form).status_code == 302
        assert list(shopper.groups.all()) == [group]
        event = AuditEvent.objects.get(action="user.changed")
        assert event.subject_id == shopper.pk
        assert event.actor_id == str(admin.pk)
        assert event.after["roles"] == ["support"]
        assert event.after["is_staff"] is True

    def test_password_is_set_on_the_trail_and_never_in_it(
        self, as_admin: Client, shopper: User
    ) -> None:
        url = reverse("admin:auth_user_password_change", args=[shopper.pk])
        secret = "a-new-long-and-strange-one"
        form = {"usable_password": "true", "password1": secret, "password2": secret}
        assert as_admin.post(url, form).status_code == 302
        shopper.refresh_from_db()
        assert shopper.check_password(secret)
        event = AuditEvent.objects.get(action="user.changed")
        assert secret not in str(event.after)

    def test_cannot_be_deleted(self, as_admin: Client, shopper: User) -> None:
        url = reverse("admin:accounts_user_delete", args=[shopper.pk])
        assert as_admin.post(url, {"post": "yes"}).status_code == 403
        assert User.objects.filter(pk=shopper.pk).exists()


class TestSignIn:
    def test_is_locked_after_too_many_wrong_passwords(self, settings: object) -> None:
        UserFactory.create(username="victim", is_staff=True)
        browser = Client()
        url = reverse("admin:login")
        wrong = {"username": "victim", "password": "a guess"}
        statuses = [browser.post(url, wrong).status_code for _ in range(9)]
        assert statuses[0] == 200
        assert statuses[-1] == 429
        right = {"username": "victim", "password": PASSWORD}
        assert browser.post(url, right).status_code == 429

    def test_lets_staff_in(self) -> None:
        UserFactory.create(username="clerk", is_staff=True)
        answer = Client().post(
            f"{reverse('admin:login')}?next=/admin/", {"username": "clerk", "password": PASSWORD}
        )
        assert answer.headers["Location"] == "/admin/"
