"""Refusals and crashes: a page for people, a problem document for programs, secrets for nobody."""

import logging
from io import StringIO
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def crashing(monkeypatch: pytest.MonkeyPatch) -> Client:
    """A browser whose every visit to the shop ends in an error of ours."""
    client = Client(raise_request_exception=False)

    def crash() -> None:
        raise RuntimeError("secret-in-an-exception")

    monkeypatch.setattr("orders.selectors.products_on_sale", crash)
    return client


class TestErrorPages:
    def test_greet_people_who_are_lost(self, client: Client) -> None:
        page = client.get("/nowhere", headers={"Accept": "text/html"})
        assert page.status_code == 404
        assert "Page not found" in page.content.decode()
        assert page["Cache-Control"] == "no-store"

    @pytest.mark.parametrize("path", ["/nowhere", "/orders/x/y/z", "/payments/x/y/z"])
    def test_speak_json_to_programs(self, client: Client, path: str) -> None:
        answer = client.get(path, headers={"Accept": "*/*"})
        assert answer.status_code == 404
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["code"] == "not_found"

    def test_speak_json_on_the_api_whatever_a_browser_accepts(self, client: Client) -> None:
        answer = client.get("/payments/x/y/z", headers={"Accept": "text/html"})
        assert answer["Content-Type"] == "application/problem+json"

    def test_tell_nothing_of_the_crash_but_the_number_of_the_request(
        self, crashing: Client
    ) -> None:
        page = crashing.get("/", headers={"X-Request-Id": "r-17"})
        assert page.status_code == 500
        assert "secret" not in page.content.decode()
        assert "r-17" in page.content.decode()

    def test_ask_for_patience_while_the_database_is_away(
        self, crashing: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away() -> Any:
            raise OperationalError("could not connect to server: 10.0.0.5")

        monkeypatch.setattr("orders.selectors.products_on_sale", away)
        page = crashing.get("/")
        assert (page.status_code, page["Retry-After"]) == (503, "1")
        assert "10.0.0.5" not in page.content.decode()

    def test_ask_to_send_a_stale_form_again(self) -> None:
        page = Client(enforce_csrf_checks=True).post("/", {})
        assert page.status_code == 403
        assert "Please send the form again" in page.content.decode()

    def test_keep_the_link_of_an_order_out_of_the_log(
        self, client: Client, link: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        [ours] = [one for one in logging.getLogger().handlers if one.name == "stdout"]
        printed = StringIO()
        monkeypatch.setattr(ours, "stream", printed)
        client.get(f"{link}/return/{'0' * 32}")
        assert "Not Found: /checkout/ord_" in printed.getvalue()
        assert link.rpartition(".")[2] not in printed.getvalue()
