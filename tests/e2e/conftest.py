"""One running stack for all end-to-end tests, with short schedules and real processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local import environment, ports, servers
from local.stack import ALL, Stack
from tests.e2e.shop import Shop

# Real timeouts and schedules, only shorter, so that a lost answer costs seconds here.
SHORT = {
    "STRIPE_READ_TIMEOUT_S": "2",
    "VNPAY_READ_TIMEOUT_S": "2",
    "LEASE_MARGIN_S": "1",
    "QUERY_SCHEDULE_SCALE": "0.01",
    "SWEEP_EVERY_S": "0.5",
    "SANDBOX_DECISION": "approve",
    "DEMO_PASSWORD": "a-demo-password-for-tests",
    "RATE_TOKEN": "1000/min",
    "RATE_WRITES": "10000/min",
}


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The whole product, on servers and ports of its own."""
    folder = tmp_path_factory.mktemp("e2e")
    _let_others_enter(folder)
    with servers.start(folder / "servers", durable=False) as running_servers:
        addresses = environment.Addresses(
            database_url=running_servers.database_url,
            redis_url=running_servers.redis_url,
            port=ports.free_port(),
            sandbox_port=ports.free_port(),
        )
        settings = environment.build("test", data_dir=folder, addresses=addresses, given={})
        shop = Shop(Stack(settings | SHORT, running_servers.guard), running_servers)
        for command in ("migrate", "seed_demo"):
            done = shop.manage(command)
            assert done.returncode == 0, done.stderr
        shop.stack.start(*ALL)
        yield shop
        shop.stack.stop()


@pytest.fixture
def shop(running: Shop) -> Iterator[Shop]:
    """A shopper who has just signed in; afterwards the books must be sound."""
    running.sign_in()
    yield running
    running.behave("*")
    running.require_sound_books()


def _let_others_enter(folder: Path) -> None:
    """PostgreSQL may have to run as another user, who must reach its folder."""
    for place in (folder, *folder.parents[:2]):
        place.chmod(0o755)
