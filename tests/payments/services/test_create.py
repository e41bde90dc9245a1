"""Starting a payment: one key one payment, one order one live payment, whatever comes at once."""

from collections import Counter
from typing import Any

import pytest
from django.db import transaction
from rest_framework.test import APIClient

from accounts.models import User
from audit.models import AuditEvent
from durable.tasks import queues_with_work
from orders.models import Order
from orders.services import cancel_order
from payments.invariants import check
from payments.models import IdempotencyKey, Transaction
from payments.states import Status
from tests.concurrently import concurrently
from tests.factories import OrderFactory, TransactionFactory, apply_outcome, begin, declined, paid
from tests.fixtures import ClientFor

pytestmark = pytest.mark.django_db(transaction=True)


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


def post(api: APIClient, order: Order, key: str | None = None, **changes: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return api.post("/payments", body(order, **changes), headers=headers)


class TestPostPayments:
    def test_answers_with_the_payment_as_it_was_stored(self, api: APIClient, order: Order) -> None:
        answer = post(api, order, "k1", metadata={"cart": "7"})
        payment = Transaction.objects.get()
        assert answer.status_code == 201
        assert answer.headers["Idempotency-Key"] == "k1"
        assert "Idempotent-Replayed" not in answer.headers
        assert answer.json() == {
            "id": f"pay_{payment.pk.hex}",
            "order_id": order.public_id,
            "status": "PENDING",
            "amount": 150_000,
            "currency": "VND",
            "method": "vnpay",
            "channel": "",
            "gateway": "vnpay",
            "capture": "automatic",
            "next_action": None,
            "failure": None,
            "amount_captured": 0,
            "amount_refunded": 0,
            "metadata": {"cart": "7"},
            "created_at": answer.json()["created_at"],
            "updated_at": answer.json()["created_at"],
        }
        assert payment.due_at == payment.created_at

    def test_says_in_the_audit_trail_who_asked(
        self, api: APIClient, order: Order, shopper: User
    ) -> None:
        api.post("/payments", body(order), headers={"X-Request-Id": "req-7"})
        event = AuditEvent.objects.get(action="transaction.created")
        assert (event.actor_kind, event.actor_id) == ("user", str(shopper.pk))
        assert event.request_id == "req-7"
        assert event.version == 1

    def test_seals_a_payment_token(self, api: APIClient, order: Order) -> None:
        answer = post(api, order, method="card", payment_token="pm_card_visa")
        assert answer.status_code == 201
        assert b"pm_card_visa" not in answer.content
        assert "pm_card_visa" not in Transaction.objects.get().payment_token
        assert "pm_card_visa" not in str(AuditEvent.objects.values_list("after", flat=True))


class TestAKey:
    def test_gives_fifty_at_once_one_payment_and_equal_answers(
        self, api_for: ClientFor, shopper: User, order: Order
    ) -> None:
        answers = concurrently(*[lambda: post(api_for(shopper), order, "k1")] * 50)
        assert Counter(answer.status_code for answer in answers) == {201: 50}
        assert len({answer.content for answer in answers}) == 1
        replays = [answer.headers.get("Idempotent-Replayed") for answer in answers]
        assert Counter(replays) == {"true": 49, None: 1}
        assert Transaction.objects.count() == 1
        assert IdempotencyKey.objects.count() == 1
        assert AuditEvent.objects.filter(action="transaction.created").count() == 1
        assert check() == []

    def test_replays_the_first_answer_byte_for_byte_after_everything_has_changed(
        self, api: APIClient, order: Order
    ) -> None:
        first = post(api, order, "k1")
        payment = Transaction.objects.get()
        begin(payment)
        apply_outcome(payment, paid(payment))
        again = post(api, order, "k1")
        assert again.status_code == 201
        assert again.content == first.content
        assert again.headers["Idempotent-Replayed"] == "true"

    @pytest.mark.parametrize(
        "change",
        [{"amount": 1}, {"currency": "USD"}, {"method": "card"}, {"metadata": {"a": "b"}},
         {"return_url": "http://127.0.0.1:8000/x"}, {"payment_token": "pm_1"},
         {"channel": "qr"}],
    )  # fmt: skip
    def test_refuses_another_request_and_moves_nothing(
        self, api: APIClient, order: Order, change: dict[str, Any]
    ) -> None:
        post(api, order, "k1")
        answer = post(api, order, "k1", **change)
        assert answer.status_code == 422
        assert answer.json()["code"] == "idempotency_key_reused"
        assert Transaction.objects.count() == 1

    def test_does_not_mind_the_order_of_the_members(self, api: APIClient, order: Order) -> None:
        post(api, order, "k1")
        turned = dict(reversed(body(order).items()))
        answer = api.post("/payments", turned, headers={"Idempotency-Key": "k1"})
        assert answer.headers["Idempotent-Replayed"] == "true"

    def test_does_not_take_prefer_for_part_of_the_request(
        self, api: APIClient, order: Order
    ) -> None:
        post(api, order, "k1")
        headers = {"Idempotency-Key": "k1", "Prefer": "wait=1"}
        answer = api.post("/payments", body(order), headers=headers)
        assert answer.headers["Idempotent-Replayed"] == "true"

    def test_belongs_to_one_client(
        self, api_for: ClientFor, other_shopper: User, api: APIClient, order: Order
    ) -> None:
        post(api, order, "k1")
        other_order = OrderFactory.create(customer=other_shopper)
        answer = post(api_for(other_shopper), other_order, "k1")
        assert answer.status_code == 201
        assert "Idempotent-Replayed" not in answer.headers
        assert Transaction.objects.count() == 2

    def test_is_free_again_after_a_refusal(self, api: APIClient, order: Order) -> None:
        assert post(api, order, "k1", amount=1).status_code == 422
        assert not IdempotencyKey.objects.exists()
        assert post(api, order, "k1").status_code == 201

    @pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 256, "tab\tbed"])
    def test_has_1_to_255_visible_ascii_characters(
        self, api: APIClient, order: Order, key: str
    ) -> None:
        answer = api.post("/payments", body(order), headers={"Idempotency-Key": key})
        assert answer.status_code == 400
        assert "Idempotency-Key" in answer.json()["errors"]
        assert not Transaction.objects.exists()

    def test_may_have_255(self, api: APIClient, order: Order) -> None:
        assert post(api, order, "~" * 255).status_code == 201

    def test_is_refused_when_it_holds_a_card_number(self, api: APIClient, order: Order) -> None:
        answer = post(api, order, "order-4111111111111111")
        assert answer.status_code == 400
        assert not IdempotencyKey.objects.exists()

    def test_that_is_at_work_for_too_long_is_answered_409(
        self, api: APIClient, order: Order, shopper: User
    ) -> None:
        with transaction.atomic():
            IdempotencyKey.objects.create(
                client=f"user:{shopper.pk.hex}", key="k1", fingerprint="x"
            )
            [answer] = concurrently(lambda: post(api, order, "k1"))
            transaction.set_rollback(True)
        assert answer.status_code == 409
        assert answer.json()["code"] == "request_in_progress"
        assert answer.headers["Retry-After"] == "1"


class TestWithoutAKey:
    def test_a_blind_repeat_gets_the_same_payment(self, api: APIClient, order: Order) -> None:
        first, again = post(api, order), post(api, order)
        assert again.content == first.content
        assert again.headers["Idempotency-Key"] == first.headers["Idempotency-Key"]
        assert again.headers["Idempotent-Replayed"] == "true"

    def test_ten_at_once_get_the_same_payment(
        self, api_for: ClientFor, shopper: User, order: Order
    ) -> None:
        answers = concurrently(*[lambda: post(api_for(shopper), order)] * 10)
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        assert Transaction.objects.count() == 1

    def test_a_repeat_after_a_decline_is_a_new_payment(self, api: APIClient, order: Order) -> None:
        first = post(api, order)
        payment = Transaction.objects.get()
        begin(payment)
        apply_outcome(payment, declined(payment))
        second = post(api, order)
        assert second.status_code == 201
        assert second.json()["id"] != first.json()["id"]
        assert second.headers["Idempotency-Key"] != first.headers["Idempotency-Key"]

    def test_a_repeat_after_the_success_is_the_payment_that_succeeded(
        self, api: APIClient, order: Order
    ) -> None:
        first = post(api, order)
        payment = Transaction.objects.get()
        begin(payment)
        apply_outcome(payment, paid(payment))
        assert post(api, order).json()["id"] == first.json()["id"]

    def test_the_key_that_comes_back_works_as_one_that_was_sent(
        self, api: APIClient, order: Order
    ) -> None:
        first = post(api, order)
        again = post(api, order, first.headers["Idempotency-Key"])
        assert again.content == first.content


class TestAnOrder:
    def test_has_one_live_payment_when_two_keys_come_at_once(
        self, api_for: ClientFor, shopper: User, order: Order
    ) -> None:
        answers = concurrently(
            *[lambda key=key: post(api_for(shopper), order, key) for key in ("k1", "k2")]
        )
        by_status = {answer.status_code: answer.json() for answer in answers}
        assert sorted(by_status) == [201, 409]
        assert by_status[409]["code"] == "payment_in_progress"
        assert by_status[409]["payment_id"] == by_status[201]["id"]
        assert IdempotencyKey.objects.count() == 1

    @pytest.mark.parametrize("status", [Status.PENDING, Status.PROCESSING, Status.AUTHORIZED])
    def test_names_the_payment_that_is_live(
        self, api: APIClient, order: Order, status: Status
    ) -> None:
        payment = TransactionFactory.create(order=order, status=status)
        answer = post(api, order, "k2")
        assert answer.status_code == 409
        assert answer.json()["payment_id"] == payment.public_id
        assert Transaction.objects.count() == 1

    def test_that_is_paid_cannot_be_paid_again(self, api: APIClient, order: Order) -> None:
        TransactionFactory.create(order=order, status=Status.SUCCESS)
        answer = post(api, order, "k2")
        assert answer.status_code == 409
        assert answer.json()["code"] == "already_paid"

    def test_that_was_cancelled_cannot_be_paid(self, api: APIClient, order: Order) -> None:
        cancel_order(order_id=order.pk)
        answer = post(api, order)
        assert answer.status_code == 409
        assert answer.json()["code"] == "order_cancelled"

    def test_of_somebody_else_does_not_exist(self, api: APIClient, other_shopper: User) -> None:
        other_order = OrderFactory.create(customer=other_shopper)
        answer = post(api, other_order)
        assert answer.status_code == 404
        assert answer.json()["code"] == "not_found"
        assert not Transaction.objects.exists()

    def test_of_a_guest_does_not_exist_for_a_user(self, api: APIClient) -> None:
        assert post(api, OrderFactory.create(customer=None)).status_code == 404

    @pytest.mark.parametrize(
        "order_id", ["", "ord_", "pay_" + "0" * 32, "ord_" + "0" * 32, "ord_" + "G" * 32, "x" * 41]
    )
    def test_that_is_unknown_is_told_from_nothing(
        self, api: APIClient, order: Order, order_id: str
    ) -> None:
        answer = api.post("/payments", body(order, order_id=order_id))
        assert answer.status_code in {400, 404}
        assert not Transaction.objects.exists()


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"amount": 149_999}, "amount_mismatch"),
            ({"amount": 150_001}, "amount_mismatch"),
            ({"currency": "USD"}, "currency_mismatch"),
            ({"method": "cash"}, "method_unavailable"),
            ({"capture": "manual"}, "capture_unavailable"),
            ({"payment_token": "pm_1"}, "payment_token_not_accepted"),
            ({"return_url": "https://evil.example/"}, "return_url_not_allowed"),
            ({"return_url": "//evil.example/"}, "return_url_not_allowed"),
            ({"return_url": "http://["}, "return_url_not_allowed"),
            ({"return_url": "http://[::1"}, "return_url_not_allowed"),
            ({"return_url": "javascript:alert(1)"}, "return_url_not_allowed"),
            ({"return_url": "http://127.0.0.1:8000@evil.example/"}, "return_url_not_allowed"),
            ({"return_url": "http://127.0.0.1:8000\\@evil.example/"}, "return_url_not_allowed"),
            ({"return_url": "http://127.0.0.1:8000.evil.example/"}, "return_url_not_allowed"),
        ],
    )
    def test_says_why_and_stores_nothing(
        self, api: APIClient, order: Order, change: dict[str, Any], code: str
    ) -> None:
        answer = post(api, order, **change)
        assert answer.status_code == 422
        assert answer.json()["code"] == code
        [field] = answer.json()["errors"]
        assert answer.json()["errors"][field][0]["code"] == code
        assert not Transaction.objects.exists()
        assert not IdempotencyKey.objects.exists()

    @pytest.mark.parametrize(
        ("currency", "total", "mend"),
        [
            ("USD", 1_999, "Takes only VND."),
            ("VND", 4_999, "The smallest amount for this way of paying is ₫5,000."),
            ("VND", 10**9, "The largest amount for this way of paying is ₫999,999,999."),
        ],
    )
    def test_says_what_vnpay_would_take(
        self, api: APIClient, shopper: User, currency: str, total: int, mend: str
    ) -> None:
        order = OrderFactory.create(customer=shopper, currency=currency, total=total)
        answer = post(api, order)
        assert (answer.status_code, answer.json()["code"]) == (422, "method_unavailable")
        assert answer.json()["detail"] == mend

    def test_names_what_there_is_to_choose_from(self, api: APIClient, order: Order) -> None:
        detail = post(api, order, method="cash").json()["detail"]
        assert detail.endswith("choose one of card, paypal, vnpay, momo.")
        [error] = post(api, order, capture="later").json()["errors"]["capture"]
        assert error == {"code": "invalid_choice", "detail": "Must be automatic or manual."}


class TestWithRedisDown:
    def test_payments_are_taken_and_due(
        self, api: APIClient, order: Order, redis_down: None
    ) -> None:
        assert post(api, order).status_code == 201
        assert Transaction.objects.get().due_at is not None
        assert queues_with_work() == {"gateway.vnpay"}
