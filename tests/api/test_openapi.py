"""The OpenAPI document is valid, complete, and what the API really does."""

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from jsonschema import Draft202012Validator
from rest_framework.test import APIClient

from api.error_codes import error_codes
from api.generated_docs import openapi_text
from api.openapi import OPERATIONS
from orders.models import Order
from tests.factories import OrderFactory, ProductFactory

Json = dict[str, Any]
DOCUMENT: Json = json.loads(openapi_text())


def operations() -> Iterator[Json]:
    """Every operation of the document."""
    for methods in DOCUMENT["paths"].values():
        yield from methods.values()


def operation(name: str) -> Json:
    """The one of that id."""
    return next(one for one in operations() if one["operationId"] == name)


def problems(schema: Json, value: object) -> list[str]:
    """What keeps ``value`` from being what ``schema`` says; references are the document's."""
    validator = Draft202012Validator({**schema, "components": DOCUMENT["components"]})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def undocumented(name: str, answer: Any) -> list[str]:
    """What an answer of the API has that its operation does not announce."""
    announced = operation(name)["responses"].get(str(answer.status_code))
    if announced is None:
        return [f"status {answer.status_code}"]
    kind = answer.headers["Content-Type"].partition(";")[0]
    if kind not in announced["content"]:
        return [f"content {kind}"]
    code = answer.json().get("code")
    if code not in announced["content"][kind].get("examples", {None: "no problem"}):
        return [f"code {code}"]
    return problems(announced["content"][kind]["schema"], answer.json())


class TestTheDocument:
    def test_is_valid_and_made_without_a_warning(self, tmp_path: Path) -> None:
        target = str(tmp_path / "schema.yaml")
        call_command("spectacular", "--validate", "--fail-on-warn", file=target, stderr=StringIO())

    def test_is_openapi_3_1_without_the_words_of_3_0(self) -> None:
        assert DOCUMENT["openapi"] == "3.1.0"
        assert "nullable" not in openapi_text()

    def test_describes_exactly_the_operations_that_the_table_knows(self) -> None:
        assert {one["operationId"] for one in operations()} == set(OPERATIONS)

    def test_names_only_codes_that_exist(self) -> None:
        known = {error.code for error in error_codes()}
        named = {code for one in OPERATIONS.values() for code in one.codes}
        assert named - known == set()

    def test_names_every_code_that_an_api_can_answer_with_somewhere(self) -> None:
        named = {code for one in OPERATIONS.values() for code in one.codes}
        elsewhere = {"csrf_failed", "method_not_allowed", "permission_denied"}
        assert {error.code for error in error_codes()} - named == elsewhere

    def test_has_a_problem_document_for_every_error(self) -> None:
        for one in operations():
            for status, answer in one["responses"].items():
                is_problem = "application/problem+json" in answer.get("content", {})
                assert is_problem == (int(status) >= 400), (one["operationId"], status)

    @pytest.mark.parametrize("name", sorted(OPERATIONS))
    def test_has_examples_that_follow_it(self, name: str) -> None:
        found = operation(name)
        contents = list(found.get("requestBody", {}).get("content", {}).values())
        for answer in found["responses"].values():
            contents += answer["content"].values()
        for content in contents:
            given = content.get("examples") or {"one": {"value": content["example"]}}
            for example in given.values():
                assert problems(content["schema"], example["value"]) == []

    def test_asks_for_a_token_where_one_is_needed(self) -> None:
        free = {one["operationId"] for one in operations() if one["security"] == []}
        assert free == {"auth_token_create", "auth_token_refresh_create", "list_products"}

    def test_refuses_unknown_members_as_the_api_does(self) -> None:
        body = operation("create_payment")["requestBody"]["content"]["application/json"]
        assert problems(body["schema"], body["example"] | {"amout": 1}) != []

    def test_is_served_as_json(self, client: Client) -> None:
        answer = client.get("/schema")
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json() == DOCUMENT


@pytest.mark.django_db(transaction=True)
class TestRealAnswers:
    def test_are_as_documented_when_all_is_well(self, api: APIClient, order: Order) -> None:
        ProductFactory.create(sku="mug", unit_amount=1_999, currency="USD")
        body = {"currency": "USD", "lines": [{"sku": "mug", "quantity": 1}]}
        created = api.post("/orders", body)
        asked = {"order_id": created.json()["id"], "amount": 1_999, "currency": "USD"}
        paid = api.post("/payments", asked | {"method": "card", "payment_token": "pm_card_visa"})
        payment = f"/payments/{paid.json()['id']}"
        for name, answer in (
            ("create_order", created),
            ("create_payment", paid),
            ("get_payment", api.get(payment)),
            ("list_payments", api.get("/payments?limit=1")),
            ("list_orders", api.get("/orders?limit=1")),
            ("get_order", api.get(f"/orders/{order.public_id}")),
            ("list_products", api.get("/products")),
            ("cancel_payment", api.post(f"{payment}/cancel")),
            ("cancel_order", api.post(f"/orders/{order.public_id}/cancel")),
        ):
            assert answer.status_code < 400, (name, answer.content)
            assert undocumented(name, answer) == [], name

    def test_announce_their_headers(self, api: APIClient, order: Order) -> None:
        body = {"order_id": order.public_id, "amount": order.total, "currency": order.currency}
        first = api.post("/payments", body | {"method": "vnpay"}, headers={"Prefer": "wait=1"})
        again = api.post("/payments", body | {"method": "vnpay"})
        announced = set(operation("create_payment")["responses"]["201"]["headers"])
        sent = {name.title() for answer in (first, again) for name in answer.headers}
        assert {name.title() for name in announced} - sent == set()

    def test_are_as_documented_when_something_is_wrong(
        self, api: APIClient, anonymous: APIClient, order: Order
    ) -> None:
        body = {"order_id": order.public_id, "amount": order.total, "currency": order.currency}
        paying = api.post("/payments", body | {"method": "vnpay"}, headers={"Idempotency-Key": "a"})
        assert paying.status_code == 201
        for name, status, answer in (
            ("create_payment", 400, api.post("/payments", {})),
            ("create_payment", 400, api.post("/payments", "[]", content_type="application/json")),
            ("create_payment", 401, anonymous.post("/payments", body)),
            (
                "create_payment",
                404,
                api.post("/payments", body | {"order_id": "ord_1", "method": "card"}),
            ),
            ("create_payment", 406, api.post("/payments", body, headers={"Accept": "text/csv"})),
            ("create_payment", 409, api.post("/payments", body | {"method": "momo"})),
            ("create_payment", 415, api.post("/payments", "a", content_type="text/plain")),
            (
                "create_payment",
                422,
                api.post("/payments", body | {"method": "card"}, headers={"Idempotency-Key": "a"}),
            ),
            ("cancel_order", 409, api.post(f"/orders/{order.public_id}/cancel")),
            ("capture_payment", 409, api.post(f"/payments/{paying.json()['id']}/capture")),
            ("list_payments", 404, api.get("/payments?cursor=nonsense")),
            ("get_payment", 404, api.get("/payments/pay_1")),
            (
                "auth_token_create",
                401,
                anonymous.post("/auth/token", {"username": "a", "password": "b"}),
            ),
            (
                "auth_token_refresh_create",
                401,
                anonymous.post("/auth/token/refresh", {"refresh": "a"}),
            ),
        ):
            assert answer.status_code == status, (name, answer.content)
            assert undocumented(name, answer) == [], name

    @pytest.fixture
    def order(self, api: APIClient, shopper: Any) -> Order:
        return OrderFactory.create(customer=shopper)
