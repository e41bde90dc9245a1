"""The shared cast, clients that speak for them, and a database that really commits.

A test that touches the database says ``pytestmark = pytest.mark.django_db(transaction=True)``:
its transactions commit, threads see them, and afterwards the tables are emptied.
"""

from collections.abc import Callable, Iterator

import pytest
from celery import current_app
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client, TransactionTestCase, override_settings
from django.utils import translation
from pytest_django.plugin import DjangoDbBlocker
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken

from accounts.models import User
from accounts.roles import ROLES
from accounts.services import ensure_roles
from accounts.throttling import FormThrottle
from orders.links import link_token
from orders.models import Order
from tests.factories import OrderFactory, UserFactory

ClientFor = Callable[[User], APIClient]
BrowserOf = Callable[[User], Client]


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[None]:
    """After a test that commits, empty what it filled, append-only tables included.

    Django's own way is TRUNCATE, which the product's triggers refuse, and which costs far more
    than deleting a few rows. What the migrations put into a table stays.
    """
    with django_db_blocker.unblock():
        tables = _tables_without_seed_data()
    patch = pytest.MonkeyPatch()
    patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _: empty(tables))
    yield
    patch.undo()


def _tables_without_seed_data() -> list[str]:
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor)
        return [name for name in names if not _has_rows(name)]


def _has_rows(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT EXISTS (SELECT FROM "{table}")')  # noqa: S608 - a name of ours
        row = cursor.fetchone()
    return row is not None and bool(row[0])


def empty(tables: list[str]) -> None:
    """Delete every row of ``tables`` with all triggers and foreign keys asleep."""
    deletes = "".join(f'DELETE FROM "{table}";' for table in tables)  # noqa: S608 - as above
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL session_replication_role = replica; {deletes}")


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    """Argon2 is slow on purpose; a test's password needs no protection."""
    hashers = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with override_settings(PASSWORD_HASHERS=hashers):
        yield


@pytest.fixture(scope="session", autouse=True)
def _forms_without_limit() -> Iterator[None]:
    """All tests are one address; the limit has tests of its own."""
    patch = pytest.MonkeyPatch()
    patch.setattr(FormThrottle, "THROTTLE_RATES", {"forms": None})
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """A request leaves its language behind in the thread; the next test starts in English."""
    with translation.override("en"):
        yield


@pytest.fixture
def shopper() -> User:
    return UserFactory.create(username="shopper", locale="en")


@pytest.fixture
def other_shopper() -> User:
    return UserFactory.create(username="other-shopper", locale="vi")


def _staff(role: str) -> User:
    user = UserFactory.create(username=role, is_staff=True)
    groups = {name: Group.objects.get_or_create(name=name)[0] for name in ROLES}
    user.groups.add(groups[role])
    return user


@pytest.fixture
def support() -> User:
    return _staff("support")


@pytest.fixture
def finance() -> User:
    return _staff("finance")


@pytest.fixture
def manager() -> User:
    return _staff("manager")


@pytest.fixture
def auditor() -> User:
    return _staff("auditor")


@pytest.fixture
def admin() -> User:
    return UserFactory.create(username="admin", is_staff=True, is_superuser=True)


@pytest.fixture
def api_for() -> ClientFor:
    """An API client that carries the access token of the given user."""

    def client(user: User) -> APIClient:
        token = AccessToken.for_user(user)
        made = APIClient()
        made.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        return made

    return client


@pytest.fixture
def api(api_for: ClientFor, shopper: User) -> APIClient:
    """The shopper's API client."""
    return api_for(shopper)


@pytest.fixture
def anonymous() -> APIClient:
    return APIClient()


@pytest.fixture
def redis_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens where the cache is, and no message is taken."""
    nowhere = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(cache._cache, "_servers", [nowhere])  # type: ignore[attr-defined]
    monkeypatch.setattr(cache._cache, "_pools", {})  # type: ignore[attr-defined]
    monkeypatch.setattr(current_app.conf, "broker_url", nowhere)
    # Celery makes its pools of connections once: those of before must come back afterwards.
    monkeypatch.setattr(current_app, "_pool", None)
    monkeypatch.setattr(current_app.amqp, "_producer_pool", None)


@pytest.fixture
def order() -> Order:
    """A guest's order of one coffee for 150,000 ₫."""
    return OrderFactory.create(customer=None)


@pytest.fixture
def link(order: Order) -> str:
    """The path of the pay page of ``order``."""
    return f"/checkout/{link_token(order.pk)}"


@pytest.fixture
def staff_roles(db: None) -> None:
    """The role groups with the rights that the settings give them."""
    ensure_roles()


@pytest.fixture
def browser_of(staff_roles: None) -> BrowserOf:
    """A browser in which somebody is signed in, with the rights of their role."""

    def browser(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return browser


@pytest.fixture
def as_support(browser_of: BrowserOf, support: User) -> Client:
    return browser_of(support)


@pytest.fixture
def as_finance(browser_of: BrowserOf, finance: User) -> Client:
    return browser_of(finance)


@pytest.fixture
def as_auditor(browser_of: BrowserOf, auditor: User) -> Client:
    return browser_of(auditor)


@pytest.fixture
def as_admin(browser_of: BrowserOf, admin: User) -> Client:
    return browser_of(admin)
