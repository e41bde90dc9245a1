"""Rows for tests, made the way the product makes them: by its services and its legal moves."""

# factory_boy's declarations carry no types.
# mypy: disable-error-code="no-untyped-call"

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, cast

from django.contrib.auth.hashers import make_password
from django.db import transaction as db_transaction
from django.utils import timezone
from factory.base import Factory
from factory.declarations import LazyAttribute, LazyFunction, Sequence, SubFactory
from factory.django import DjangoModelFactory

from accounts.models import User
from durable.ids import uuid7
from gateways.operation import CaptureMethod
from gateways.outcome import Failure, FailureCode, Outcome, OutcomeKind
from money.money import Money
from notifications.models import MessageChannel, Notification
from orders.models import Order, Product
from orders.services import Customer, Item, create_order
from payments.api.views import render_payment
from payments.models import Transaction
from payments.outcomes.apply import apply_outcomes
from payments.outcomes.evidence import Evidence, Source
from payments.processing.planning import Job, plan_one
from payments.routing.registry import gateway
from payments.services import create
from payments.services.create import PaymentRequest
from payments.states import Status

PASSWORD: Final = "correct horse battery staple"
PRICE: Final = 150_000


class UserFactory(DjangoModelFactory[User]):
    """Somebody with ``PASSWORD``, an address and a phone."""

    class Meta:
        model = User

    username = Sequence(lambda n: f"person-{n}")
    email = LazyAttribute(lambda user: f"{user.username}@example.com")
    phone = "+84901234567"
    locale = "en"
    password = LazyFunction(lambda: make_password(PASSWORD))


class ProductFactory(DjangoModelFactory[Product]):
    """Something for ``PRICE`` đồng."""

    class Meta:
        model = Product

    sku = Sequence(lambda n: f"sku-{n}")
    name = "Cà phê phin"
    unit_amount = PRICE
    currency = "VND"


class OrderFactory(Factory[Order]):
    """An order of one thing; ``total`` and ``currency`` set its price, None a guest."""

    class Meta:
        model = Order

    customer: User | None = cast("User", SubFactory(UserFactory))
    total = PRICE
    currency = "VND"
    email = "linh@example.com"

    @classmethod
    def _create(cls, model_class: type[Order], *args: Any, **kwargs: Any) -> Order:
        product = ProductFactory.create(unit_amount=kwargs["total"], currency=kwargs["currency"])
        customer = kwargs["customer"]
        return create_order(
            customer=Customer(
                user_id=customer.pk if customer else None,
                email=kwargs["email"],
                locale=customer.locale if customer else "en",
            ),
            currency=product.currency,
            items=[Item(product.sku, 1)],
        )


class NotificationFactory(DjangoModelFactory[Notification]):
    """A message that is due now, as if a payment had queued it."""

    class Meta:
        model = Notification

    event_key = Sequence(lambda n: f"payment.paid:{n}")
    template = "payment_paid"
    channel = MessageChannel.EMAIL
    recipient = "linh@example.com"
    locale = "en"
    subject_id = LazyFunction(uuid7)
    context = LazyFunction(
        lambda: {
            "order_number": "100001",
            "amount": PRICE,
            "currency": "VND",
            "method": "vnpay",
            "payment_id": "pay_1",
            "failure_code": "",
            "link": "https://shop.example.com/checkout/x",
        }
    )
    due_at = LazyFunction(timezone.now)


class TransactionFactory(Factory[Transaction]):
    """A payment in any status, brought there by legal moves.

    ``order`` is made unless it is given. AUTHORIZED is a card payment with manual capture; the
    others go by VNPAY, unless ``method`` says otherwise. No network is touched.
    """

    class Meta:
        model = Transaction

    order = cast("Order", SubFactory(OrderFactory))
    method = "vnpay"
    capture = CaptureMethod.AUTOMATIC
    status = Status.PENDING
    psp_reference = LazyFunction(lambda: uuid7().hex)

    @classmethod
    def _create(cls, model_class: type[Transaction], *args: Any, **kwargs: Any) -> Transaction:
        status: Status = kwargs["status"]
        row = _pending(kwargs["order"], kwargs["method"], kwargs["capture"], status)
        if status == Status.PENDING:
            return row
        begin(row)
        outcome = _OUTCOMES.get(status)
        if outcome is not None:
            apply_outcome(row, outcome(row, kwargs["psp_reference"]))
        row.refresh_from_db()
        return row


def _pending(order: Order, method: str, capture: CaptureMethod, status: Status) -> Transaction:
    if status == Status.AUTHORIZED:
        method, capture = "card", CaptureMethod.MANUAL
    created = create.create_payment(
        client=f"user:{order.customer_id.hex}" if order.customer_id else "link",
        key=None,
        request=payment_request(order, method=method, capture=capture),
        render=render_payment,
    )
    return created.transaction


def payment_request(order: Order, **changes: Any) -> PaymentRequest:
    """What a shopper in Hà Nội asks for to pay ``order`` by VNPAY."""
    given: dict[str, Any] = {
        "order_id": order.pk,
        "money": order.total_money,
        "method": "vnpay",
        "customer_ip": "113.160.92.202",
        "locale": "vi",
    }
    wanted = given | changes
    if wanted["method"] == "card":
        wanted = {"payment_token": "pm_card_visa"} | wanted
    return PaymentRequest(**wanted)


def begin(payment: Transaction) -> Job:
    """Claim this one payment as a worker does, and plan its next operation. Nothing is sent."""
    adapter = gateway(payment.gateway)
    with db_transaction.atomic():
        make_due(payment)
        claimed = Transaction.claim(limit=1, lease=timedelta(minutes=1), pk=payment.pk)
        [taken] = claimed
        job = plan_one(payment=taken, adapter=adapter, now=timezone.now())
    assert job is not None
    payment.refresh_from_db()
    return job


def make_due(payment: Transaction) -> None:
    """Due now, whatever its schedule says."""
    Transaction.objects.filter(pk=payment.pk).update(due_at=timezone.now(), lease_until=None)


def apply_outcome(
    payment: Transaction, outcome: Outcome, source: Source = Source.SETTLEMENT
) -> None:
    """Apply ``outcome`` as the one function that applies all evidence does."""
    apply_outcomes([Evidence(payment.pk, outcome, source, uuid7().hex)])
    payment.refresh_from_db()


def paid(payment: Transaction, psp_reference: str = "", **changes: Any) -> Outcome:
    """The gateway's word that it took exactly what was asked for."""
    money: Money = changes.pop("money", payment.money)
    return Outcome(
        OutcomeKind.SUCCEEDED,
        money=money,
        reference=payment.reference,
        psp_reference=psp_reference or f"psp-{payment.reference}",
        account=payment.gateway_account,
        live=payment.live_mode,
        **changes,
    )


def declined(payment: Transaction, code: FailureCode = FailureCode.INSUFFICIENT_FUNDS) -> Outcome:
    """The gateway's definite no."""
    return Outcome(OutcomeKind.DECLINED, reference=payment.reference, failure=Failure(code, "51"))


def held(payment: Transaction, psp_reference: str = "") -> Outcome:
    """The gateway's word that it holds exactly what was asked for."""
    return Outcome(
        OutcomeKind.AUTHORIZED,
        money=payment.money,
        reference=payment.reference,
        psp_reference=psp_reference or f"psp-{payment.reference}",
        account=payment.gateway_account,
    )


_OUTCOMES: Final[dict[Status, Callable[[Transaction, str], Outcome]]] = {
    Status.AUTHORIZED: held,
    Status.SUCCESS: paid,
    Status.FAILED: lambda row, _: declined(row),
}
