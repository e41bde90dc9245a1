"""What the gateways took against what was booked."""

from dataclasses import replace

from bench.verdict import Differences, Money, compare

FIRST = Money("a1", "vnpay", 125_000, "VND")
SECOND = Money("b2", "stripe", 1_999, "USD")
ORDERS = {"a1": "order-1", "b2": "order-2", "c3": "order-1"}


class TestCompare:
    def test_finds_nothing_where_both_agree(self) -> None:
        found = compare([FIRST, SECOND], [SECOND, FIRST], ORDERS)
        assert found == Differences(lost=0, phantom=0, charged_twice=0)

    def test_calls_a_charge_that_pays_nothing_lost(self) -> None:
        found = compare([FIRST, SECOND], [FIRST], ORDERS)
        assert found == Differences(lost=1, phantom=0, charged_twice=0)

    def test_calls_a_success_without_a_charge_a_phantom(self) -> None:
        found = compare([FIRST], [FIRST, SECOND], ORDERS)
        assert found == Differences(lost=0, phantom=1, charged_twice=0)

    def test_calls_another_amount_lost_and_a_phantom(self) -> None:
        found = compare([replace(FIRST, amount=124_999)], [FIRST], ORDERS)
        assert found == Differences(lost=1, phantom=1, charged_twice=0)

    def test_counts_an_order_with_two_payments_as_charged_twice(self) -> None:
        again = replace(FIRST, reference="c3")
        found = compare([FIRST, again], [FIRST, again], ORDERS)
        assert found == Differences(lost=0, phantom=0, charged_twice=1)

    def test_counts_one_payment_with_two_charges_as_charged_twice(self) -> None:
        found = compare([FIRST, FIRST], [FIRST], ORDERS)
        assert found == Differences(lost=0, phantom=0, charged_twice=1)
