"""One sandbox and one shop for all gateways; whatever an adapter says is searched for secrets."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict

import pytest

from gateways.base import Gateway
from gateways.operation import CaptureMethod
from privacy.redaction import find_card_number
from tests.gateways.contract.gateway_case import PARTIES, GatewayCase
from tests.gateways.contract.payment import EMAIL, Payment
from tests.gateways.contract.relay import Relay
from tests.sandbox.sandbox_process import SandboxProcess, Shop


@pytest.fixture(scope="session")
def running_shop() -> Iterator[Shop]:
    with Shop() as shop:
        yield shop


@pytest.fixture(scope="session")
def running(
    running_shop: Shop, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SandboxProcess]:
    webhooks = f"http://127.0.0.1:{running_shop.port}/webhooks"
    sandbox = SandboxProcess(tmp_path_factory.mktemp("sandbox"), webhooks).start()
    yield sandbox
    sandbox.end()
    sandbox.http.close()


@pytest.fixture
def shop(running_shop: Shop) -> Shop:
    running_shop.received.clear()
    running_shop.answers.clear()
    return running_shop


@pytest.fixture
def sandbox(running: SandboxProcess, shop: Shop) -> Iterator[SandboxProcess]:
    running.behaviour(gateway="*", decision="approve", decide_after_ms=0)
    yield running
    running.control("reset")


@pytest.fixture(params=PARTIES, ids=str)
def case(request: pytest.FixtureRequest, shop: Shop) -> GatewayCase:
    chosen: GatewayCase = request.param
    return chosen


@pytest.fixture
def gateway(case: GatewayCase, sandbox: SandboxProcess) -> Gateway:
    return case.gateway(sandbox)


NewPayment = Callable[..., Payment]


@pytest.fixture
def new_payment(
    case: GatewayCase, gateway: Gateway, sandbox: SandboxProcess, shop: Shop
) -> Iterator[NewPayment]:
    """Payments; afterwards nothing that would be stored of any of them holds a secret."""
    made: list[Payment] = []

    def new(capture: CaptureMethod = CaptureMethod.AUTOMATIC, token: str = "") -> Payment:
        made.append(Payment(case, gateway, sandbox, shop, capture, token))
        return made[-1]

    yield new
    for payment in made:
        require_redacted(payment)


@pytest.fixture
def payment(new_payment: NewPayment) -> Payment:
    return new_payment()


@pytest.fixture
def hold(new_payment: NewPayment) -> Payment:
    """A payment whose money is to be held first."""
    return new_payment(capture=CaptureMethod.MANUAL)


@pytest.fixture
def relay(sandbox: SandboxProcess) -> Iterator[Relay]:
    """A wire between the adapter and the gateway, which can swap or twist answers."""
    made = Relay(sandbox.url)
    yield made
    made.close()


def require_redacted(payment: Payment) -> None:
    """No secret, token, card number or e-mail address in what we would store or show."""
    exchanges = [asdict(said.exchange) for said in payment.outcomes if said.exchange]
    facts = [[dict(said.psp_data), said.failure and asdict(said.failure)]
             for said in payment.outcomes]  # fmt: skip
    shown = json.dumps([exchanges, facts], ensure_ascii=False, default=str)
    frozen = json.dumps(payment.requests, ensure_ascii=False)
    token = {payment.token} - {""}
    for secret in payment.case.secrets | token:
        assert secret not in shown + frozen
    assert EMAIL not in shown
    assert "Bearer " not in shown + frozen
    assert find_card_number(shown + frozen) is None
