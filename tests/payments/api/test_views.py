"""The payments API: reading, lists, bad input. Every refusal is a problem document."""

import json
from itertools import product
from typing import Any

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.models import User
from audit.models import AuditEvent
from orders.models import Order
from payments.models import IdempotencyKey, Transaction
from payments.states import Status
from tests.factories import OrderFactory, TransactionFactory
from tests.fixtures import ClientFor

pytestmark = pytest.mark.django_db(transaction=True)

CARD = "4111 1111 1111 1111"


@pytest.fixture
def order(shopper: User) -> Order:
    return OrderFactory.create(customer=shopper)


def body(order: Order, **changes: Any) -> dict[str, Any]:
    return {
        "order_id": order.public_id,
        "amount": order.total,
        "currency": order.currency,
        "method": "vnpay",
    } | changes


def assert_problem(answer: Any, status: int, code: str) -> None:
    problem = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert problem["request_id"] == answer.headers["X-Request-Id"] != ""
    assert problem["title"]
    assert problem["detail"]
    assert problem["type"].endswith(f"#{code}")


class TestGetPayment:
    def test_shows_a_payment_as_it_stands(self, api: APIClient, order: Order) -> None:
        row = TransactionFactory.create(order=order, status=Status.FAILED)
        payment = api.get(f"/payments/{row.public_id}").json()
        assert payment["status"] == "FAILED"
        assert payment["failure"] == {"code": "insufficient_funds"}
        assert payment["next_action"] is None

    @pytest.mark.parametrize(
        "payment_id", ["1", "pay_", "pay_" + "0" * 32, "ord_" + "0" * 32, "pay_%00", "pay_é"]
    )
    def test_knows_no_other_ids(self, api: APIClient, payment_id: str) -> None:
        assert_problem(api.get(f"/payments/{payment_id}"), 404, "not_found")

    def test_shows_nobody_elses(
        self, api_for: ClientFor, other_shopper: User, order: Order
    ) -> None:
        payment = TransactionFactory.create(order=order)
        assert_problem(
            api_for(other_shopper).get(f"/payments/{payment.public_id}"), 404, "not_found"
        )

    def test_shows_staff_no_more_by_the_api(
        self, api_for: ClientFor, admin: User, order: Order
    ) -> None:
        payment = TransactionFactory.create(order=order)
        assert_problem(api_for(admin).get(f"/payments/{payment.public_id}"), 404, "not_found")


class TestListPayments:
    def test_pages_newest_first_without_skipping_or_repeating(
        self, api: APIClient, shopper: User
    ) -> None:
        rows = [
            TransactionFactory.create(order=OrderFactory.create(customer=shopper)) for _ in range(5)
        ]
        seen, url = [], "/payments?limit=2"
        pages = 0
        while url:
            page = api.get(url).json()
            assert set(page) == {"results", "next", "previous"}
            seen += [payment["id"] for payment in page["results"]]
            url, pages = page["next"], pages + 1
        assert seen == [row.public_id for row in reversed(rows)]
        assert pages == 3

    def test_goes_back_the_way_it_came(self, api: APIClient, shopper: User) -> None:
        for _ in range(3):
            TransactionFactory.create(order=OrderFactory.create(customer=shopper))
        first = api.get("/payments?limit=2").json()
        second = api.get(first["next"]).json()
        assert api.get(second["previous"]).json()["results"] == first["results"]

    def test_lists_only_the_callers(
        self, api_for: ClientFor, other_shopper: User, order: Order
    ) -> None:
        TransactionFactory.create(order=order)
        assert api_for(other_shopper).get("/payments").json()["results"] == []

    def test_has_a_limit_of_a_hundred(self, api: APIClient, shopper: User) -> None:
        assert api.get("/payments?limit=100000000").status_code == 200

    @pytest.mark.parametrize("cursor", ["x", "%00", "cD0x", "😀", "a" * 5000])
    def test_takes_a_broken_cursor_calmly(self, api: APIClient, cursor: str) -> None:
        assert api.get("/payments", {"cursor": cursor}).status_code in {200, 404}


BAD_BODIES = {
    "not JSON": b"{",
    "a list": b"[]",
    "null": b"null",
    "a text": b'"pay"',
    "a number": b"1",
    "NaN": b'{"amount": NaN}',
    "Infinity": b'{"amount": -Infinity}',
    "a member twice": b'{"amount": 1, "amount": 150000}',
    "a member twice deep down": b'{"metadata": {"a": "1", "a": "2"}}',
    "not UTF-8": b'{"method": "\xff"}',
    "UTF-16": '{"method": "vnpay"}'.encode("utf-16"),
    "half a surrogate": b'{"method": "\\ud800"}',
    "NUL": b'{"method": "\\u0000"}',
    "too deep": b"[" * 100_000,
    "too deep object": b'{"metadata": ' * 50 + b"1" + b"}" * 50,
    "too large": b'{"method": "' + b"x" * 70_000 + b'"}',
    "a huge number": b'{"amount": ' + b"9" * 5_000 + b"}",
    "trailing": b"{} {}",
    "comments": b'{} // "x"',
}


class TestMalformedBodies:
    def test_are_answered_400_and_store_nothing(
        self, api: APIClient, subtests: pytest.Subtests
    ) -> None:
        for name, raw in BAD_BODIES.items():
            with subtests.test(name):
                answer = api.post("/payments", raw, content_type="application/json")
                assert_problem(answer, 400, "malformed")
        assert not Transaction.objects.exists()

    def test_are_told_the_rule_that_a_number_breaks(self, api: APIClient) -> None:
        raw = BAD_BODIES["a huge number"]
        detail = api.post("/payments", raw, content_type="application/json").json()["detail"]
        assert detail == "The body is not valid JSON: a number has more than 100 digits"

    def test_are_told_what_is_missing_when_they_are_empty(self, api: APIClient) -> None:
        answer = api.post("/payments", b"", content_type="application/json")
        assert_problem(answer, 400, "invalid")
        assert set(answer.json()["errors"]) == {"order_id", "amount", "currency", "method"}

    @pytest.mark.parametrize(
        "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
    )
    def test_are_no_forms(self, api: APIClient, content_type: str) -> None:
        answer = api.post("/payments", b"amount=1", content_type=content_type)
        assert_problem(answer, 415, "unsupported_media_type")


WRONG_AMOUNTS = [True, False, "150000", 150000.0, 1.5, None, [], {}, -1, 0, 2**63, 10**40, -(2**63)]


TEXT_MEMBERS = ["order_id", "currency", "method"]
NO_TEXTS: list[object] = [1, True, None, [], {}, ["vnpay"], "", " ", "\n"]
WRONG_MEMBERS: list[tuple[str, object]] = [
    ("capture", "later"), ("capture", None), ("capture", []), ("capture", 1),
    ("metadata", "x"), ("metadata", []), ("metadata", None),
    ("metadata", {"a": 1}), ("metadata", {"a": None}), ("metadata", {"a": {}}),
    ("metadata", {"k" * 41: "v"}), ("metadata", {"k": "v" * 501}),
    ("metadata", {str(n): "v" for n in range(21)}),
    ("return_url", 1), ("return_url", "x" * 501),
    ("payment_token", 1), ("payment_token", "x" * 256),
    ("customer", "x"), ("customer", None), ("customer", []),
    ("customer", {"ip": "999.1.1.1"}), ("customer", {"ip": 1}),
    ("customer", {"locale": "fr"}),
    ("customer", {"name": "x"}),
]  # fmt: skip


class TestWrongTypes:
    def test_an_amount_is_a_positive_json_integer(
        self, api: APIClient, order: Order, subtests: pytest.Subtests
    ) -> None:
        for amount in WRONG_AMOUNTS:
            with subtests.test(repr(amount)):
                answer = api.post("/payments", body(order, amount=amount))
                assert_problem(answer, 400, "invalid")
                assert list(answer.json()["errors"]) == ["amount"]
        assert not Transaction.objects.exists()

    def test_an_amount_in_exponent_form_is_no_integer(self, api: APIClient, order: Order) -> None:
        raw = json.dumps(body(order)).replace("150000", "1.5e5")
        answer = api.post("/payments", raw, content_type="application/json")
        assert_problem(answer, 400, "invalid")

    def test_a_text_is_a_text(
        self, api: APIClient, order: Order, subtests: pytest.Subtests
    ) -> None:
        for field, value in product(TEXT_MEMBERS, NO_TEXTS):
            with subtests.test(field, value=repr(value)):
                answer = api.post("/payments", body(order, **{field: value}))
                assert_problem(answer, 400, "invalid")
        assert not Transaction.objects.exists()

    def test_every_other_member_has_its_shape(
        self, api: APIClient, order: Order, subtests: pytest.Subtests
    ) -> None:
        for field, value in WRONG_MEMBERS:
            with subtests.test(field, value=repr(value)):
                answer = api.post("/payments", body(order, **{field: value}))
                assert_problem(answer, 400, "invalid")
                [name] = answer.json()["errors"]
                assert name.split(".")[0] == field
        assert not Transaction.objects.exists()

    @pytest.mark.parametrize("missing", ["order_id", "amount", "currency", "method"])
    def test_what_must_be_there_must_be_there(
        self, api: APIClient, order: Order, missing: str
    ) -> None:
        request = body(order)
        del request[missing]
        answer = api.post("/payments", request)
        assert answer.json()["errors"] == {
            missing: [{"code": "required", "detail": "This field is required."}]
        }

    @pytest.mark.parametrize(
        "extra",
        ["status", "applied", "gateway", "client", "psp_reference", "amount_captured", "Amount",
         "currency ", "__proto__", "due_at"],
    )  # fmt: skip
    def test_a_member_that_it_does_not_know_is_refused(
        self, api: APIClient, order: Order, extra: str
    ) -> None:
        answer = api.post("/payments", body(order, **{extra: "SUCCESS"}))
        assert_problem(answer, 400, "invalid")
        assert list(answer.json()["errors"]) == [extra]
        assert not Transaction.objects.exists()

    @pytest.mark.parametrize(
        "text", ["Đàn tranh 🎋", "مرحبا", "a\u202eb", "'; DROP TABLE--", "{{7*7}}"]
    )
    def test_any_other_text_comes_back_as_it_was_sent(
        self, api: APIClient, order: Order, text: str
    ) -> None:
        answer = api.post("/payments", body(order, metadata={text[:40]: text}))
        assert answer.status_code == 201
        assert answer.json()["metadata"] == {text[:40]: text}


class TestCardNumbers:
    @pytest.mark.parametrize(
        "change",
        [
            {"order_id": CARD}, {"method": CARD}, {"payment_token": CARD},
            {"return_url": f"http://x/?c={CARD}"}, {"metadata": {"note": f"my card {CARD}"}},
            {"metadata": {CARD: "x"}}, {"metadata": {"n": "4111-1111-1111-1111"}},
            {"metadata": {"n": "9704000000000018"}}, {"currency": CARD},
            {"customer": {"ip": CARD}},
        ],
    )  # fmt: skip
    def test_are_refused_in_every_text(
        self, api: APIClient, order: Order, change: dict[str, Any]
    ) -> None:
        answer = api.post("/payments", body(order, **change))
        assert answer.status_code == 400
        assert b"1111" not in answer.content
        assert not Transaction.objects.exists()
        assert not IdempotencyKey.objects.exists()

    def test_are_not_kept_as_a_request_id(self, api: APIClient, order: Order) -> None:
        headers = {"X-Request-Id": CARD.replace(" ", "")}
        answer = api.post("/payments", body(order), headers=headers)
        assert answer.status_code == 201
        assert CARD.replace(" ", "") not in answer.headers["X-Request-Id"]
        assert not AuditEvent.objects.filter(request_id__contains="4111").exists()


class TestMethodsAndPaths:
    @pytest.mark.parametrize("method", ["put", "patch", "delete"])
    def test_a_payment_is_never_edited(self, api: APIClient, order: Order, method: str) -> None:
        payment = TransactionFactory.create(order=order)
        answer = getattr(api, method)(f"/payments/{payment.public_id}", {"status": "SUCCESS"})
        assert_problem(answer, 405, "method_not_allowed")

    def test_no_slash_is_redirected(self, api: APIClient) -> None:
        assert api.get("/payments/").status_code == 404

    def test_another_version_is_not_acceptable(self, api: APIClient) -> None:
        answer = api.get("/payments", headers={"Accept": "application/json; version=2"})
        assert_problem(answer, 406, "not_acceptable")

    def test_version_1_may_be_named(self, api: APIClient) -> None:
        accept = {"Accept": "application/json; version=1"}
        assert api.get("/payments", headers=accept).status_code == 200

    @pytest.mark.parametrize("name", ["payments", "orders"])
    def test_nobody_without_a_token_comes_in(self, anonymous: APIClient, name: str) -> None:
        for call in (anonymous.get, anonymous.post):
            answer = call(reverse(name))
            assert_problem(answer, 401, "not_authenticated")
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
