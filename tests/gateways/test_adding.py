"""A gateway is a folder and an entry in the settings: proved by the code that the manual shows."""

import hashlib
import hmac
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

import gateways
from accounts.models import User
from config import settings as settings_file
from config.environment import env, group
from durable.queues import queues
from orders.models import Order
from payments.inbox import inbox
from payments.models import Transaction, WebhookEvent
from payments.routing import registry
from tests.factories import OrderFactory
from tests.gateways.local_server import LocalServer

pytestmark = pytest.mark.django_db(transaction=True)

ROOT: Final = Path(__file__).parents[2]
MANUAL: Final = ROOT / "docs" / "adding-a-gateway.md"
SECRET: Final = "a-secret-of-tinypay"
PRODUCT: Final = (
    "accounts",
    "api",
    "audit",
    "backoffice",
    "checkout",
    "config",
    "durable",
    "gateways",
    "money",
    "notifications",
    "ops",
    "orders",
    "payments",
    "privacy",
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All that is written: one folder with one file, as if it lay beside the other gateways."""
    adapter, _ = code()
    made = tmp_path / "tinypay"
    made.mkdir()
    (made / "gateway.py").write_text(adapter)
    monkeypatch.setattr(gateways, "__path__", [*gateways.__path__, str(tmp_path)])
    for name in ("gateways.tinypay", "gateways.tinypay.gateway"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
        monkeypatch.delitem(sys.modules, name)
    return made


@pytest.fixture(autouse=True)
def entry(
    server: LocalServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, Any]]:
    """And one entry in the settings, with what the settings derive from all entries."""
    monkeypatch.setenv("TINYPAY_SHOP", "test-shop")
    monkeypatch.setenv("TINYPAY_SECRET", SECRET)
    monkeypatch.setenv("TINYPAY_API_BASE", server.url)
    _, text = code()
    made: dict[str, Any] = eval(text, {"group": group, "env": env, "bool": bool})  # noqa: S307 - the manual's
    settings.GATEWAYS = {**settings_file.GATEWAYS, **made}
    settings.METHOD_GATEWAYS = {"card": ("tinypay",)}
    settings.DUE_QUEUES = derived_queues(settings.GATEWAYS)
    forget()
    yield made
    forget()


def code() -> list[str]:
    """The two pieces of code that the manual shows."""
    pieces = re.findall(r"```python\n(.*?)```", MANUAL.read_text(), re.DOTALL)
    assert len(pieces) == 2
    return list(pieces)


def derived_queues(gateways: dict[str, Any]) -> dict[str, str]:
    """As the settings derive them: each gateway has a queue of the same class."""
    (known,) = {path for name, path in settings_file.DUE_QUEUES.items() if name[:8] == "gateway."}
    return {**settings_file.DUE_QUEUES, **{f"gateway.{name}": known for name in gateways}}


def forget() -> None:
    registry.gateways.cache_clear()
    queues.cache_clear()


class TestANewGateway:
    def test_takes_a_payment(
        self, api: APIClient, client: Client, shopper: User, server: LocalServer
    ) -> None:
        order = OrderFactory.create(customer=shopper)
        payment = begun(api, order, server)
        assert payment.gateway == "tinypay"
        shown = api.get(f"/payments/{payment.public_id}").json()["next_action"]
        assert shown == {"type": "redirect", "url": "https://pay.tinypay.example/t1"}
        notice = told(payment, "paid", order.total)
        assert client.post("/webhooks/tinypay", notice, "application/json").status_code == 400
        assert tell(client, notice) == 204
        payment.refresh_from_db()
        order.refresh_from_db()
        assert (payment.status, payment.psp_reference, order.status) == ("SUCCESS", "t1", "PAID")

    def test_has_a_notice_verified_anew_that_could_not_be_applied(
        self,
        api: APIClient,
        client: Client,
        shopper: User,
        server: LocalServer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        payment = begun(api, OrderFactory.create(customer=shopper), server)
        with monkeypatch.context() as broken:
            broken.setattr(inbox, "apply_outcomes", None)
            tell(client, told(payment, "paid", payment.amount))
        WebhookEvent.objects.update(due_at=payment.created_at, lease_until=None)
        queues()["webhooks"].drain()
        payment.refresh_from_db()
        assert payment.status == "SUCCESS"

    def test_is_asked_when_it_is_silent(
        self, api: APIClient, shopper: User, server: LocalServer
    ) -> None:
        payment = begun(api, OrderFactory.create(customer=shopper), server)
        server.reply_json(json.loads(told(payment, "refused", payment.amount)))
        Transaction.objects.filter(pk=payment.pk).update(due_at=payment.created_at)
        call_command("sweep", "--here")
        payment.refresh_from_db()
        assert (payment.status, payment.failure_code) == ("FAILED", "declined")

    def test_is_offered_only_for_what_it_can_do(self, api: APIClient, shopper: User) -> None:
        order = OrderFactory.create(customer=shopper, currency="USD", total=1_999)
        refused = api.post("/payments", wanted(order), format="json")
        assert (refused.status_code, refused.json()["code"]) == (422, "method_unavailable")

    def test_needed_a_folder_and_an_entry_and_nothing_else(
        self, folder: Path, entry: dict[str, Any]
    ) -> None:
        assert [path.name for path in folder.iterdir() if path.suffix == ".py"] == ["gateway.py"]
        assert list(entry) == ["tinypay"]
        sources = [path for app in PRODUCT for path in (ROOT / app).rglob("*.py")]
        assert len(sources) > 200
        assert not [path for path in sources if "tinypay" in path.read_text().lower()]


def wanted(order: Order) -> dict[str, Any]:
    body = {"order_id": order.public_id, "amount": order.total, "currency": order.currency}
    return {**body, "method": "card"}


def begun(api: APIClient, order: Order, server: LocalServer) -> Transaction:
    """A payment of ``order`` whose link has been handed out."""
    answer = api.post("/payments", wanted(order), format="json")
    assert answer.status_code == 201, answer.content
    payment = Transaction.objects.get(order=order)
    page = {"page": "https://pay.tinypay.example/t1"}
    server.reply_json({**json.loads(told(payment, "open", order.total)), **page})
    call_command("sweep", "--here")
    payment.refresh_from_db()
    assert payment.status == "PROCESSING"
    return payment


def tell(client: Client, notice: bytes) -> int:
    """Send ``notice`` as TinyPay does, and give our answer's status."""
    signature = hmac.new(SECRET.encode(), notice, hashlib.sha256).hexdigest()
    headers = {"TinyPay-Signature": signature}
    answer = client.post("/webhooks/tinypay", notice, "application/json", headers=headers)
    return answer.status_code


def told(payment: Transaction, status: str, amount: int) -> bytes:
    """What TinyPay says about a payment."""
    said = {"shop": "test-shop", "reference": payment.reference, "id": "t1"}
    return json.dumps({**said, "status": status, "amount": amount}).encode()
