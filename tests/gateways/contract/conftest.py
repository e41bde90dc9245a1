"""One sandbox and one shop for all gateways; whatever an adapter says is searched for secrets."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict

import pytest

from gateways.base import Gateway
from privacy.redaction import find_card_number
from tests.gateways.contract.party import PARTIES, Party
from tests.gateways.contract.payment import EMAIL, Payment
from tests.gateways.contract.relay import Relay
from tests.sandbox.player import Player, Shop


@pytest.fixture(scope="session")
def running_shop() -> Iterator[Shop]:
    with Shop() as shop:
        yield shop


@pytest.fixture(scope="session")
def running(running_shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Player]:
    webhooks = f"http://127.0.0.1:{running_shop.port}/webhooks"
    player = Player(tmp_path_factory.mktemp("sandbox"), webhooks).start()
    yield player
    player.end()
    player.http.close()


@pytest.fixture
def shop(running_shop: Shop) -> Shop:
    running_shop.received.clear()
    running_shop.answers.clear()
    return running_shop


@pytest.fixture
def player(running: Player, shop: Shop) -> Iterator[Player]:
    running.behaviour(gateway="*", decision="approve", decide_after_ms=0)
    yield running
    running.control("reset")


@pytest.fixture(params=PARTIES, ids=str)
def party(request: pytest.FixtureRequest, shop: Shop) -> Party:
    chosen: Party = request.param
    return chosen


@pytest.fixture
def gateway(party: Party, player: Player) -> Gateway:
    return party.gateway(player)


NewPayment = Callable[..., Payment]


@pytest.fixture
def new_payment(party: Party, gateway: Gateway, player: Player, shop: Shop) -> Iterator[NewPayment]:
    """Payments; afterwards nothing that would be stored of any of them holds a secret."""
    made: list[Payment] = []

    def new(capture: str = "automatic", token: str = "") -> Payment:
        made.append(Payment(party, gateway, player, shop, capture, token))
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
    return new_payment(capture="manual")


@pytest.fixture
def relay(player: Player) -> Iterator[Relay]:
    """A wire between the adapter and the gateway, which can swap or twist answers."""
    made = Relay(player.url)
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
    for secret in payment.party.secrets | token:
        assert secret not in shown + frozen
    assert EMAIL not in shown
    assert "Bearer " not in shown + frozen
    assert find_card_number(shown + frozen) is None
