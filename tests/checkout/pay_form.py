"""Filling in the pay page as a browser without JavaScript does."""

import re
from typing import Protocol

from django.test import Client


class Page(Protocol):
    """What the test client answers, as far as these tests read it."""

    content: bytes
    status_code: int

    def __getitem__(self, header: str, /) -> str: ...


def form_token(page: Page) -> str:
    """The one-time token of a pay page."""
    found = re.search(r'name="form_token" value="([^"]+)"', page.content.decode())
    assert found, "the page has no form token"
    return found[1]


def choose(browser: Client, link: str, method: str = "vnpay", token: str = "") -> Page:
    """Choose ``method`` on the pay page, as the form does."""
    token = token or form_token(browser.get(link))
    return browser.post(f"{link}/pay", {"form_token": token, "method": method})
