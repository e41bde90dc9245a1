"""The whole product, opened for tests on servers and ports of its own, and closed after them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from local.servers import Servers
from local.stack import ALL, Stack
from local.throwaway import make_stack_settings
from tests.e2e.shop import Shop

# Real schedules, only shorter, and no limit in the way of many tests.
HURRIED: Final = {
    # VNPAY answers a query every 5 minutes: here every 3 seconds.
    "QUERY_SCHEDULE_SCALE": "0.01",
    "SWEEP_EVERY_S": "0.5",
    "DEMO_PASSWORD": "a-demo-password-for-tests",
    "RATE_TOKEN": "1000/min",
    "RATE_WRITES": "10000/min",
    "RATE_FORMS": "10000/min",
}


@contextmanager
def open_shop(changes: Mapping[str, str]) -> Iterator[Shop]:
    """A running product with these settings beside the hurried ones."""
    with make_stack_settings() as (servers, settings):
        shop = shop_of({**settings, **HURRIED, **changes}, servers)
        furnish(shop)
        shop.stack.start(*ALL)
        yield shop
        shop.stack.stop()


def shop_of(settings: Mapping[str, str], servers: Servers) -> Shop:
    """A shop of which nothing runs yet but its servers."""
    return Shop(Stack(settings, servers.guard), servers)


def furnish(shop: Shop) -> None:
    """Give it tables, goods and accounts."""
    for command in ("migrate", "seed_demo"):
        done = shop.manage(command)
        assert done.returncode == 0, done.stderr
