"""One running stack for all end-to-end tests, with short schedules and real processes."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from local import environment, ports, servers
from local.servers import Servers
from local.stack import ALL, Stack
from tests.e2e.shop import Shop

# Real timeouts and schedules, only shorter, so that a lost answer costs seconds here.
SHORT = {
    "STRIPE_READ_TIMEOUT_S": "2",
    "PAYPAL_READ_TIMEOUT_S": "8",
    "VNPAY_READ_TIMEOUT_S": "2",
    "MOMO_READ_TIMEOUT_S": "2",
    "LEASE_MARGIN_S": "1",
    "QUERY_SCHEDULE_SCALE": "0.01",
    "SWEEP_EVERY_S": "0.5",
    "SANDBOX_DECISION": "approve",
    "DEMO_PASSWORD": "a-demo-password-for-tests",
    "RATE_TOKEN": "1000/min",
    "RATE_WRITES": "10000/min",
    "RATE_FORMS": "10000/min",
}


@pytest.fixture(scope="session")
def running() -> Iterator[Shop]:
    """The whole product, on servers and ports of its own."""
    yield from run_stack({})


def run_stack(changes: Mapping[str, str]) -> Iterator[Shop]:
    """A stack with these settings beside the short ones, until it is no longer wanted.

    Not in pytest's own temporary folder: every other run of pytest closes that to all users but
    one, and PostgreSQL may have to run as somebody else.
    """
    with TemporaryDirectory(prefix="e2e-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with servers.start(folder / "servers", durable=False) as running_servers:
            yield from _run(folder, running_servers, changes)


def _run(folder: Path, running_servers: Servers, changes: Mapping[str, str]) -> Iterator[Shop]:
    addresses = environment.Addresses(
        database_url=running_servers.database_url,
        redis_url=running_servers.redis_url,
        port=ports.free_port(),
        sandbox_port=ports.free_port(),
    )
    settings = environment.build("test", data_dir=folder, addresses=addresses, given={})
    shop = Shop(Stack({**settings, **SHORT, **changes}, running_servers.guard), running_servers)
    for command in ("migrate", "seed_demo"):
        done = shop.manage(command)
        assert done.returncode == 0, done.stderr
    shop.stack.start(*ALL)
    yield shop
    shop.stack.stop()


@pytest.fixture(scope="module")
def shop(running: Shop) -> Iterator[Shop]:
    """A shopper who has just signed in; afterwards nothing is under way and the books are sound.

    That is checked once for a file: every look at the books costs a process.
    """
    running.sign_in()
    yield running
    running.behave("*")
    running.come_to_rest()
    running.require_sound_books("--quiescent")
