"""Staff with the rights of their roles, and browsers that are signed in as them."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from accounts.services import ensure_roles

BrowserOf = Callable[[User], Client]


@pytest.fixture(autouse=True)
def _roles(db: None) -> None:
    ensure_roles()


@pytest.fixture
def browser_of() -> BrowserOf:
    """A signed-in browser."""

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
