"""Every list and every page opens, for everybody who may read, and writes for nobody."""

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.models import AuditEvent
from backoffice.formats import admin_url
from backoffice.read_only import ReadOnlyAdmin
from payments.models import Case
from payments.states import Status
from tests.factories import TransactionFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("staff_roles")]

READ_ONLY = sorted(
    (model for model, page in admin.site._registry.items() if isinstance(page, ReadOnlyAdmin)),
    key=lambda model: model._meta.label,
)


def list_of(model: type[Model]) -> str:
    meta = model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")


@pytest.fixture
def payments(db: None) -> None:
    """A payment on its way, a paid one and a failed one: rows for every page but a case's."""
    for status in (Status.PENDING, Status.PROCESSING, Status.SUCCESS, Status.FAILED):
        TransactionFactory.create(status=status)


class TestEveryPage:
    def test_knows_each_aggregate(self) -> None:
        assert {model.__name__ for model in READ_ONLY} == {
            "AuditEvent", "Case", "GatewayBreaker", "GatewayCall", "IdempotencyKey",
            "LedgerAccount", "Notification", "Order", "Product", "Transaction", "Transfer",
            "WebhookEvent",
        }  # fmt: skip

    @pytest.mark.parametrize("model", READ_ONLY, ids=lambda model: model.__name__)
    def test_opens_for_every_role(
        self, model: type[Model], payments: None, as_support: Client, as_auditor: Client
    ) -> None:
        for browser in (as_support, as_auditor):
            assert browser.get(list_of(model)).status_code == 200
            for row in model._default_manager.all()[:3]:
                page = browser.get(admin_url(row))
                assert page.status_code == 200, admin_url(row)

    @pytest.mark.parametrize("model", READ_ONLY, ids=lambda model: model.__name__)
    def test_has_no_inline_style_or_script(
        self, model: type[Model], payments: None, as_admin: Client
    ) -> None:
        urls = [list_of(model), *(admin_url(row) for row in model._default_manager.all()[:1])]
        for url in [*urls, reverse("admin:index"), reverse("admin:password_change")]:
            html = as_admin.get(url).content.decode()
            assert "<style" not in html
            assert " style=" not in html
            assert "onclick=" not in html
            assert "<script>" not in html

    @pytest.mark.parametrize("model", READ_ONLY, ids=lambda model: model.__name__)
    def test_writes_nothing_even_for_the_administrator(
        self, model: type[Model], payments: None, as_admin: Client
    ) -> None:
        before = AuditEvent.objects.count()
        assert as_admin.get(f"{list_of(model)}add/").status_code == 403
        for row in model._default_manager.all()[:1]:
            url = admin_url(row)
            assert as_admin.post(url, {"status": "SUCCESS"}).status_code == 403
            assert as_admin.post(url.replace("/change/", "/delete/")).status_code == 403
        assert AuditEvent.objects.exclude(action="page.read").count() == before

    def test_is_closed_to_a_shopper(self, browser_of: object, shopper: User) -> None:
        client = Client()
        client.force_login(shopper)
        for url in [reverse("admin:index"), *map(list_of, READ_ONLY)]:
            answer = client.get(url)
            assert answer.status_code == 302
            assert answer.headers["Location"].startswith(reverse("admin:login"))

    def test_shows_no_tokens_and_no_groups(self, as_admin: Client) -> None:
        html = as_admin.get(reverse("admin:index")).content.decode()
        assert "utstanding" not in html
        assert "lacklisted" not in html
        assert "Groups" not in html

    def test_keeps_accounts_to_the_administrator(
        self, as_finance: Client, as_admin: Client
    ) -> None:
        url = reverse("admin:accounts_user_changelist")
        assert as_finance.get(url).status_code == 403
        assert as_admin.get(url).status_code == 200
        assert Case.objects.count() == 0
