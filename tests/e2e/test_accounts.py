"""Two accounts at one PSP, on real processes: which one takes a payment, and which stands in.

The second account is played by a sandbox of its own: another book, other keys.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest

from local import environment, ports, servers
from local.servers import Servers
from local.stack import ALL, Stack
from tests.e2e.conftest import SHORT
from tests.e2e.shop import Shop, send

SECOND: Final = {
    "STRIPE_SECRET_KEY": f"sk_test_{'b' * 32}",
    "STRIPE_WEBHOOK_SECRETS": f"whsec_{'b' * 32}",
    "STRIPE_ACCOUNT": "acct_bbbbbbbbbbbbbbbb",
    "MOMO_PARTNER_CODE": "MOMOSECOND01",
    "MOMO_ACCESS_KEY": "b" * 16,
    "MOMO_SECRET_KEY": "c" * 32,
}


@pytest.fixture(scope="module")
def two() -> Iterator[tuple[Shop, Shop]]:
    """The product with two accounts at Stripe and two at MoMo; and the second sandbox."""
    with TemporaryDirectory(prefix="e2e-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with servers.start(folder / "servers", durable=False) as running:
            yield from _run(folder, running)


def _run(folder: Path, running: Servers) -> Iterator[tuple[Shop, Shop]]:
    settings = _settings(folder, running)
    own = {name.replace("_", "_B_", 1): value for name, value in SECOND.items()}
    elsewhere = f"http://127.0.0.1:{ports.free_port()}"
    accounts = {
        "GATEWAY_ACCOUNTS": "stripe_b=stripe,momo_b=momo",
        "METHOD_GATEWAYS": "card=stripe|stripe_b,momo=momo|momo_b,paypal=paypal,vnpay=vnpay",
        "STRIPE_CURRENCIES": "VND",
        "STRIPE_B_API_BASE": elsewhere,
        "MOMO_B_API_BASE": elsewhere,
        "MOMO_READ_TIMEOUT_S": "2",
        "MOMO_B_READ_TIMEOUT_S": "2",
    }
    first = Shop(Stack(settings | own | accounts, running.guard), running)
    there = settings | SECOND | {
        "SANDBOX_PORT": elsewhere.rpartition(":")[2],
        "SANDBOX_URL": elsewhere,
        "SANDBOX_DATA_DIR": str(folder / "second-sandbox"),
        "SANDBOX_WEBHOOK_STRIPE": f"{settings['BASE_URL']}/webhooks/stripe_b",
        "DATA_DIR": str(folder / "second"),
    }  # fmt: skip
    second = Shop(Stack(there, running.guard), running)
    for command in ("migrate", "seed_demo"):
        done = first.manage(command)
        assert done.returncode == 0, done.stderr
    second.stack.start("sandbox")
    first.stack.start(*ALL)
    yield first, second
    first.stack.stop()
    second.stack.stop()


def _settings(folder: Path, running: Servers) -> dict[str, str]:
    addresses = environment.Addresses(
        database_url=running.database_url,
        redis_url=running.redis_url,
        port=ports.free_port(),
        sandbox_port=ports.free_port(),
    )
    return environment.build("test", data_dir=folder, addresses=addresses, given={}) | SHORT


@pytest.fixture
def shops(two: tuple[Shop, Shop]) -> Iterator[tuple[Shop, Shop]]:
    first = two[0]
    first.sign_in()
    yield two
    for shop in two:
        shop.behave("*")
    first.require_sound_books()


class TestTwoAccounts:
    def test_take_the_currencies_that_they_are_for(self, shops: tuple[Shop, Shop]) -> None:
        first, second = shops
        for sku, currency, gateway, book in (
            ("coffee-phin", "VND", "stripe", first), ("mug", "USD", "stripe_b", second),
        ):  # fmt: skip
            order = first.order(sku, currency)
            payment = first.pay(order, token="pm_card_visa").json
            assert payment["gateway"] == gateway
            assert first.ended(payment["id"])["status"] == "SUCCESS"
            assert [one["amount"] for one in book.charges(payment["id"])] == [order["total"]]

    def test_stand_in_for_each_other_while_nobody_is_there(self, shops: tuple[Shop, Shop]) -> None:
        first, second = shops
        first.stack.kill("sandbox")
        try:
            order = first.order()
            payment = first.pay(order, "momo").json
            assert payment["gateway"] == "momo"
            ended = first.ended(payment["id"])
        finally:
            first.stack.start("sandbox")
        assert (ended["status"], ended["gateway"]) == ("SUCCESS", "momo_b")
        assert first.charges(payment["id"]) == []
        assert [one["captured"] for one in second.charges(payment["id"])] == [order["total"]]
        assert moves(first, payment) == [("momo", "momo_b", "refused")]

    def test_never_both_charge_when_one_falls_silent(self, shops: tuple[Shop, Shop]) -> None:
        first, second = shops
        first.behave("momo", api={"fault": "timeout_before"}, times=1)
        payment = first.pay(first.order(), "momo").json
        ended = first.ended(payment["id"])
        assert (ended["status"], ended["gateway"]) == ("SUCCESS", "momo")
        assert len(first.charges(payment["id"])) == 1
        assert second.charges(payment["id"]) == []
        assert moves(first, payment) == []

    def test_have_books_and_webhooks_of_their_own(self, shops: tuple[Shop, Shop]) -> None:
        first = shops[0]
        for shop in shops:
            assert send("GET", f"{shop.sandbox}/control/book?gateway=momo").json["charges"]
        ours = first.query(
            "SELECT DISTINCT gateway, gateway_account FROM ledger_accounts WHERE kind = 'clearing'"
        )
        assert ("momo_b", "MOMOSECOND01") in ours
        heard = first.query("SELECT DISTINCT gateway, verified FROM webhook_events")
        assert {("momo_b", True), ("stripe_b", True)} <= set(heard)
        assert {verified for _, verified in heard} == {True}


def moves(shop: Shop, payment: dict[str, Any]) -> list[tuple[str, ...]]:
    """The audited moves of a payment: from, to, why."""
    return [
        (str(before["gateway"]), str(after["gateway"]), str(after["reason"]))
        for before, after in shop.query(
            "SELECT before, after FROM audit_events WHERE action = 'transaction.rerouted'"
            " AND subject_id = %s ORDER BY id",
            payment["id"].removeprefix("pay_"),
        )
    ]
