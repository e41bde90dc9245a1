"""Two accounts at one PSP, on real processes: which one takes a payment, and which stands in.

The second account is emulated by a sandbox of its own: another book, other keys.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from local import ports
from local.stack import ALL
from local.throwaway import make_stack_settings
from tests.e2e.conftest import IMPATIENT
from tests.e2e.opening import HURRIED, furnish, shop_of
from tests.e2e.shop import Shop, eventually

SECOND: Final = {
    "STRIPE_SECRET_KEY": f"sk_test_{'b' * 32}",
    "STRIPE_WEBHOOK_SECRETS": f"whsec_{'b' * 32}",
    "STRIPE_ACCOUNT": "acct_bbbbbbbbbbbbbbbb",
    "MOMO_PARTNER_CODE": "MOMOSECOND01",
    "MOMO_ACCESS_KEY": "b" * 16,
    "MOMO_SECRET_KEY": "c" * 32,
}


ACCOUNTS: Final = {
    "stripe_b": SECOND["STRIPE_ACCOUNT"],
    "momo_b": SECOND["MOMO_PARTNER_CODE"],
}


@pytest.fixture(scope="module")
def two() -> Iterator[tuple[Shop, Shop]]:
    """The product with two accounts at Stripe and two at MoMo; and the second sandbox."""
    with make_stack_settings() as (servers, made):
        settings = made | HURRIED | IMPATIENT
        elsewhere = f"http://127.0.0.1:{ports.free_port()}"
        first = shop_of(settings | _accounts(elsewhere), servers)
        second = shop_of(settings | _other_sandbox(settings, elsewhere), servers)
        furnish(first)
        second.stack.start("sandbox")
        first.stack.start(*ALL)
        yield first, second
        first.stack.stop()
        second.stack.stop()


def _accounts(elsewhere: str) -> dict[str, str]:
    """The settings of the product that has the second accounts too."""
    own = {name.replace("_", "_B_", 1): value for name, value in SECOND.items()}
    return own | {
        "GATEWAY_ACCOUNTS": "stripe_b=stripe,momo_b=momo",
        "METHOD_GATEWAYS": "card=stripe|stripe_b,momo=momo|momo_b,paypal=paypal,vnpay=vnpay",
        "STRIPE_CURRENCIES": "VND",
        "STRIPE_B_API_BASE": elsewhere,
        "MOMO_B_API_BASE": elsewhere,
        "MOMO_B_READ_TIMEOUT_S": "2",
    }


def _other_sandbox(settings: Mapping[str, str], address: str) -> dict[str, str]:
    """What the sandbox of the second accounts has for itself."""
    folder = Path(settings["DATA_DIR"])
    return SECOND | {
        "SANDBOX_PORT": address.rpartition(":")[2],
        "SANDBOX_URL": address,
        "SANDBOX_DATA_DIR": str(folder / "second-sandbox"),
        "SANDBOX_WEBHOOK_STRIPE": f"{settings['BASE_URL']}/webhooks/stripe_b",
        "DATA_DIR": str(folder / "second"),
    }


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
        eventually(lambda: is_told_and_booked(first, "stripe_b"))

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
        eventually(lambda: is_told_and_booked(first, "momo_b"))

    def test_never_both_charge_when_one_falls_silent(self, shops: tuple[Shop, Shop]) -> None:
        first, second = shops
        first.behave("momo", api={"fault": "timeout_before"}, times=1)
        payment = first.pay(first.order(), "momo").json
        ended = first.ended(payment["id"])
        assert (ended["status"], ended["gateway"]) == ("SUCCESS", "momo")
        assert len(first.charges(payment["id"])) == 1
        assert second.charges(payment["id"]) == []
        assert moves(first, payment) == []


def is_told_and_booked(shop: Shop, gateway: str) -> bool:
    """Whether that account has told of its payments itself, and has books of its own."""
    events = shop.query("SELECT DISTINCT verified FROM webhook_events WHERE gateway = %s", gateway)
    books = shop.query(
        "SELECT DISTINCT gateway_account FROM ledger_accounts"
        " WHERE kind = 'clearing' AND gateway = %s", gateway,
    )  # fmt: skip
    return (events, books) == ([(True,)], [(ACCOUNTS[gateway],)])


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
