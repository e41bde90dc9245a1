"""What orchestrators and scrapers ask."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from gateways.outcome import Outcome, OutcomeKind
from ops import metrics
from payments.models import Case, GatewayCall, Transaction
from payments.models.case import CaseKind
from payments.routing import breaker
from payments.routing.registry import gateways
from payments.states import Status
from payments.webhooks.views import BODY_BYTES_MAX
from tests.factories import TransactionFactory
from tests.vnpay_ipn import ipn

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN = "a-token-for-the-scraper-of-this-test"


class TestLivez:
    @pytest.mark.parametrize("path", ["/livez", "/healthz"])
    def test_says_that_the_process_lives(self, client: Client, path: str) -> None:
        assert client.get(path).json() == {"status": "ok"}

    def test_answers_whatever_host_is_named_and_without_tls(
        self, client: Client, settings: Settings
    ) -> None:
        settings.ALLOWED_HOSTS = ["pay.example.com"]
        settings.SECURE_SSL_REDIRECT = True
        assert client.get("/livez", headers={"host": "10.1.2.3:8000"}).status_code == 200

    def test_takes_no_other_method(self, client: Client) -> None:
        assert client.post("/livez").status_code == 405


class TestReadyz:
    def test_says_in_one_word_that_all_is_ready(self, client: Client) -> None:
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})

    def test_names_every_check_when_asked(self, client: Client) -> None:
        assert client.get("/readyz?verbose").json() == {
            "status": "ok",
            "checks": {"database": "ok", "migrations": "ok", "gateways": "ok", "redis": "ok"},
        }

    def test_is_ready_without_redis(self, client: Client, redis_down: None) -> None:
        answer = client.get("/readyz?verbose")
        assert answer.status_code == 200
        assert answer.json()["checks"]["redis"] == "ConnectionError"

    def test_is_not_ready_without_a_database(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def gone() -> None:
            raise OperationalError("server closed the connection: password=hunter2")

        monkeypatch.setattr(connection, "ensure_connection", gone)
        connection.close()
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["checks"]["database"] == "OperationalError"
        assert "hunter2" not in answer.content.decode()

    def test_is_not_ready_with_a_gateway_that_is_not_configured(
        self, client: Client, settings: Settings
    ) -> None:
        broken = {"adapter": "gateways.vnpay.gateway.VnpayGateway", "enabled": True}
        settings.GATEWAYS = {"vnpay": broken | {"options": {}}}
        gateways.cache_clear()
        try:
            answer = client.get("/readyz")
        finally:
            gateways.cache_clear()
        assert answer.status_code == 503
        assert answer.json()["checks"]["gateways"] == "ValueError"


@pytest.fixture
def scrape(client: Client, settings: Settings) -> "Scrape":
    settings.METRICS_TOKEN = TOKEN
    return Scrape(client)


class Scrape:
    """One look at /metrics."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def __call__(self) -> dict[str, float]:
        """Every sample by its name and labels as they are written."""
        answer = self._client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        lines = answer.content.decode().splitlines()
        pairs = (line.rpartition(" ") for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}


def webhooks_by_result(samples: Mapping[str, float]) -> dict[str, float]:
    """Labels → how many webhooks."""
    name = "payments_webhooks_received_total{"
    counted = {key: value for key, value in samples.items() if key.startswith(name)}
    return {key.removeprefix(name).rstrip("}"): value for key, value in counted.items()}


class TestMetrics:
    def test_do_not_exist_without_a_token(self, client: Client) -> None:
        assert client.get("/metrics").status_code == 404

    @pytest.mark.parametrize("sent", ["", "Bearer ", "Bearer wrong", "Basic wrong"])
    def test_do_not_exist_for_who_does_not_know_it(
        self, client: Client, scrape: Scrape, sent: str
    ) -> None:
        answer = client.get("/metrics", headers={"Authorization": sent} if sent else {})
        assert answer.status_code == 404
        assert b"payments_" not in answer.content

    def test_count_requests_by_route_and_never_by_id(self, client: Client, scrape: Scrape) -> None:
        client.get("/orders/ord_0123456789abcdef0123456789abcdef")
        client.get("/no/such/path")
        samples = scrape()
        name = "http_request_duration_seconds_count"
        assert samples[f'{name}{{method="GET",route="/orders/<str:order_id>",status="401"}}'] >= 1
        assert samples[f'{name}{{method="GET",route="unknown",status="404"}}'] >= 1
        assert not [sample for sample in samples if "0123456789" in sample]

    def test_say_what_waits_and_for_how_long(self, scrape: Scrape) -> None:
        payment = TransactionFactory.create()
        Transaction.objects.filter(pk=payment.pk).update(
            due_at=timezone.now() - timedelta(seconds=90)
        )
        samples = scrape()
        assert samples['payments_due_rows{queue="gateway.vnpay"}'] == 1
        assert samples['payments_due_rows{queue="gateway.stripe"}'] == 0
        assert 90 <= samples['payments_due_oldest_age_seconds{queue="gateway.vnpay"}'] < 150
        assert 'payments_pending_oldest_age_seconds{gateway="vnpay"}' in samples

    def test_count_recent_payments_by_how_they_stand(self, scrape: Scrape) -> None:
        TransactionFactory.create(status=Status.SUCCESS, method="card")
        TransactionFactory.create(status=Status.FAILED, method="card")
        samples = scrape()
        name = 'payments_recent{gateway="stripe",method="card",outcome='
        assert samples[f'{name}"success"}}'] == 1
        assert samples[f'{name}"failed"}}'] == 1

    def test_count_open_cases(self, scrape: Scrape) -> None:
        Case.objects.create(kind=CaseKind.MISMATCH)
        assert scrape()['payments_open_cases{kind="mismatch"}'] == 1

    def test_say_which_gateways_are_held_back(self, scrape: Scrape) -> None:
        silence = [Outcome(OutcomeKind.UNKNOWN)] * breaker.FAILURES_TO_OPEN
        breaker.note(gateway_name="momo", outcomes=silence)
        samples = scrape()
        states = {
            name: samples[f'payments_circuit_state{{gateway="{name}"}}'] for name in gateways()
        }
        assert states == {"stripe": 0, "paypal": 0, "vnpay": 0, "momo": 1}

    def test_tell_how_long_gateways_took_and_what_they_said(self, scrape: Scrape) -> None:
        for duration_ms in (100, 200, 300, 400):
            payment = TransactionFactory.create(method="card", status=Status.PROCESSING)
            calls = GatewayCall.objects.filter(transaction=payment)
            calls.update(outcome=OutcomeKind.PENDING, duration_ms=duration_ms)
        # Signed here, without a call; and one that was slow, but too long ago to count.
        TransactionFactory.create(status=Status.PROCESSING)
        old = GatewayCall.objects.filter(transaction=payment)
        old.update(created_at=timezone.now() - timedelta(minutes=11))
        samples = scrape()
        labels = 'gateway="stripe",operation="create",outcome="pending"'
        assert samples[f"payments_gateway_requests_recent{{{labels}}}"] == 3
        name = "payments_gateway_request_duration_seconds"
        assert samples[f'{name}{{{labels},quantile="0.5"}}'] == 0.2
        assert samples[f'{name}{{{labels},quantile="0.99"}}'] == pytest.approx(0.298)
        assert not [sample for sample in samples if sample.startswith(name) and "vnpay" in sample]

    def test_look_at_the_newest_calls_only(
        self, scrape: Scrape, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(metrics, "CALLS_MAX", 2)
        for _ in range(3):
            TransactionFactory.create(method="card", status=Status.PROCESSING)
        GatewayCall.objects.update(outcome=OutcomeKind.PENDING, duration_ms=100)
        labels = 'gateway="stripe",operation="create",outcome="pending"'
        assert scrape()[f"payments_gateway_requests_recent{{{labels}}}"] == 2

    def test_count_webhooks_by_what_became_of_them(self, client: Client, scrape: Scrape) -> None:
        before = webhooks_by_result(scrape())
        payment = TransactionFactory.create(status=Status.PROCESSING)
        for address in (ipn(payment), ipn(payment), ipn(payment, secret="x" * 32)):
            client.get(address)
        client.post("/webhooks/stripe", b"x" * (BODY_BYTES_MAX + 1), "application/json")
        client.post("/webhooks/nobody", b"{}", "application/json")
        after = webhooks_by_result(scrape())
        assert {name: after[name] - before.get(name, 0) for name in after} == {
            **dict.fromkeys(before, 0),
            'gateway="vnpay",result="applied"': 1,
            'gateway="vnpay",result="repeated"': 1,
            'gateway="vnpay",result="refused"': 1,
            'gateway="stripe",result="too_large"': 1,
        }

    def test_add_up_over_several_web_processes(
        self, scrape: Scrape, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        count_one = "from payments.webhooks.counting import count; count('stripe', 'APPLIED')"
        counting = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
        for _ in range(2):
            subprocess.run([sys.executable, "-c", count_one], env=counting, check=True)
        monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
        assert webhooks_by_result(scrape()) == {'gateway="stripe",result="applied"': 2}

    def test_all_stand_in_the_runbook(self, client: Client, scrape: Scrape) -> None:
        client.get("/webhooks/vnpay")
        runbook = (Path(settings.BASE_DIR) / "docs" / "runbook.md").read_text(encoding="utf-8")
        # A histogram has several samples, and "created" tells when a counter was made.
        samples = {sample.partition("{")[0] for sample in scrape()}
        names = {
            re.sub(r"_(bucket|count|sum)$", "", sample)
            for sample in samples
            if not sample.endswith("_created")
        }
        assert {name for name in names if f"`{name}`" not in runbook} == set()

    def test_say_that_the_database_is_down(
        self, scrape: Scrape, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def gone() -> None:
            raise OperationalError("gone")

        connection.close()
        monkeypatch.setattr(connection, "ensure_connection", gone)
        samples = scrape()
        assert samples["payments_database_up"] == 0
        assert not [sample for sample in samples if sample.startswith("payments_due")]
