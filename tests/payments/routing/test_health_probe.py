"""Whether a gateway is back is found out by a question about nobody's payment."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest
from django.db import connections
from django.db.models.functions import Now
from pytest_django import Settings

from gateways.outcome import Outcome, OutcomeKind
from payments.invariants import check
from payments.models import GatewayBreaker, GatewayCall, Transaction
from payments.routing import breaker, health_probe, registry
from payments.states import Status
from payments.tasks import GatewayQueue
from tests.concurrently import PATIENCE_S
from tests.factories import TransactionFactory
from tests.gateways.contract.gateway_case import MOMO, PAYPAL, STRIPE_BY_TOKEN, VNPAY, GatewayCase
from tests.gateways.local_server import LocalServer, Reply, refused_url
from tests.sandbox.sandbox_process import SandboxProcess, eventually

pytestmark = pytest.mark.django_db(transaction=True)

GATEWAYS: Final = (STRIPE_BY_TOKEN, PAYPAL, VNPAY, MOMO)
ILL: Final = Reply(503)
# Long enough for others to be seen at work meanwhile.
HANGS: Final = Reply(503, stall_s=3.0)
ANSWERS: Final = Reply(404, b'{"error": {"type": "invalid_request_error", "code": "none"}}')

Reach = Callable[[GatewayCase, str], str]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    made = SandboxProcess(tmp_path_factory.mktemp("sandbox"), "").start()
    yield made
    made.end()
    made.http.close()


@pytest.fixture
def server() -> Iterator[LocalServer]:
    made = LocalServer()
    yield made
    made.close()


@pytest.fixture
def reach(sandbox: SandboxProcess, settings: Settings) -> Iterator[Reach]:
    """Settings with this one gateway at ``url`` (the sandbox when empty); returns its name."""

    def write(case: GatewayCase, url: str) -> str:
        adapter = f"{case.adapter.__module__}.{case.adapter.__qualname__}"
        options = case.made(sandbox, url) | {"read_timeout_s": "20"}
        entry: dict[str, Any] = {"adapter": adapter, "options": options, "enabled": True}
        settings.GATEWAYS = {case.adapter.name: entry}
        registry.gateways.cache_clear()
        return case.adapter.name

    yield write
    registry.gateways.cache_clear()


def hold_back(gateway: str) -> None:
    silence = [Outcome(OutcomeKind.UNKNOWN)] * breaker.FAILURES_TO_OPEN
    breaker.note(gateway_name=gateway, outcomes=silence)
    probe_is_due()


def probe_is_due() -> None:
    GatewayBreaker.objects.update(probe_at=Now())


def drain(gateway: str) -> bool:
    """As a worker process of its own."""
    return GatewayQueue(f"gateway.{gateway}").drain()


def drain_in_a_thread(gateway: str) -> bool:
    try:
        return drain(gateway)
    finally:
        connections.close_all()


class TestAProbe:
    @pytest.mark.parametrize("case", GATEWAYS, ids=str)
    def test_asks_every_gateway_over_the_network(self, reach: Reach, case: GatewayCase) -> None:
        name = reach(case, refused_url())
        hold_back(name)
        assert drain(name)
        assert breaker.is_open(name)
        reach(case, "")
        probe_is_due()
        assert drain(name)
        assert not breaker.is_open(name)
        assert not GatewayCall.objects.exists()

    def test_risks_no_payment(self, reach: Reach, server: LocalServer) -> None:
        name = reach(STRIPE_BY_TOKEN, server.url)
        payment = TransactionFactory.create(method="card")
        server.reply(ILL)
        hold_back(name)
        assert drain(name)
        assert [asked.method for asked in server.received] == ["GET"]
        payment.refresh_from_db()
        assert (payment.status, payment.failures) == (Status.PENDING, 0)
        assert not GatewayCall.objects.exists()
        assert check() == []

    def test_that_is_answered_lets_what_waits_go_in_the_same_drain(
        self, reach: Reach, server: LocalServer
    ) -> None:
        name = reach(STRIPE_BY_TOKEN, server.url)
        payment = TransactionFactory.create(method="card")
        server.reply(ANSWERS, ILL)
        hold_back(name)
        drain(name)
        assert [asked.method for asked in server.received][:2] == ["GET", "POST"]
        payment.refresh_from_db()
        assert payment.status == Status.PROCESSING

    def test_comes_once_in_an_interval(self, reach: Reach, server: LocalServer) -> None:
        name = reach(STRIPE_BY_TOKEN, server.url)
        server.reply(ILL)
        hold_back(name)
        assert drain(name)
        assert drain(name)
        assert len(server.received) == 1

    def test_that_hangs_is_followed_by_another(self, reach: Reach, server: LocalServer) -> None:
        name = reach(STRIPE_BY_TOKEN, server.url)
        server.reply(HANGS, ANSWERS)
        hold_back(name)
        with ThreadPoolExecutor(1) as pool:
            hanging = pool.submit(drain_in_a_thread, name)
            eventually(lambda: len(server.received) == 1, "the first probe")
            probe_is_due()
            assert drain(name)
            assert not breaker.is_open(name)
            assert hanging.result(timeout=PATIENCE_S)

    def test_that_hangs_keeps_no_signed_link_waiting(
        self, reach: Reach, server: LocalServer
    ) -> None:
        name = reach(VNPAY, server.url)
        payment = TransactionFactory.create(method="vnpay")
        server.reply(HANGS)
        hold_back(name)
        with ThreadPoolExecutor(1) as pool:
            hanging = pool.submit(drain_in_a_thread, name)
            waiting = Transaction.objects.filter(pk=payment.pk, next_action__isnull=True)
            eventually(lambda: not waiting.exists(), "the link")
            # The probe has not been heard yet.
            assert GatewayBreaker.objects.get().failures == breaker.FAILURES_TO_OPEN
            assert hanging.result(timeout=PATIENCE_S)
        assert GatewayBreaker.objects.get().failures == breaker.FAILURES_TO_OPEN + 1

    def test_that_our_own_code_breaks_is_no_answer(
        self, reach: Reach, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        name = reach(MOMO, "")
        monkeypatch.setattr(MOMO.adapter, "perform", None)
        hold_back(name)
        assert drain(name)
        assert breaker.is_open(name)


class TestTheQueue:
    def test_has_work_when_only_the_probe_is_due(self, reach: Reach) -> None:
        name = reach(MOMO, "")
        queue = GatewayQueue(f"gateway.{name}")
        hold_back(name)
        assert queue.has_due_rows()
        assert breaker.take_probe(name)
        assert not queue.has_due_rows()

    def test_asks_nothing_of_a_gateway_that_is_not_configured(self, reach: Reach) -> None:
        reach(MOMO, "")
        hold_back("stripe")
        assert not GatewayQueue("gateway.stripe").has_due_rows()


class TestNobodysPayment:
    @pytest.mark.parametrize("case", GATEWAYS, ids=str)
    def test_is_answered_as_one_that_is_not_there(self, reach: Reach, case: GatewayCase) -> None:
        said = health_probe.probe(registry.gateway(reach(case, "")))
        assert said.exchange is not None
        assert said.exchange.http_status in {200, 400, 404}
        assert said.kind in {OutcomeKind.UNPAID, OutcomeKind.UNKNOWN}
        assert said.money is None
