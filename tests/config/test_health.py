"""What orchestrators and scrapers ask."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from payments.gateways.registry import gateways
from payments.models import Case, Transaction
from payments.models.case import CaseKind
from payments.states import Status
from tests.factories import TransactionFactory

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
        broken = {"adapter": "payments.gateways.vnpay.gateway.VnpayGateway", "enabled": True}
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
        row = TransactionFactory.create()
        Transaction.objects.filter(pk=row.pk).update(due_at=timezone.now() - timedelta(seconds=90))
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
