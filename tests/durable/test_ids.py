import time
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable.ids import derived_uuid7, parse_public_id, public_id, uuid7


class TestUuid7:
    def test_is_one_by_the_letter(self) -> None:
        made = uuid7()
        assert (made.version, made.variant) == (7, "specified in RFC 4122")
        assert abs((made.int >> 80) - time.time_ns() // 1_000_000) < 2_000

    def test_sorts_by_the_time_it_was_made(self) -> None:
        early = uuid7()
        time.sleep(0.002)
        assert early < uuid7()

    def test_is_never_the_same(self) -> None:
        assert len({uuid7() for _ in range(10_000)}) == 10_000


class TestDerivedUuid7:
    def test_is_the_same_for_the_same_facts_and_no_other(self) -> None:
        origin = uuid7()
        made = derived_uuid7(origin, "a", 1, [["tea", 2]])
        assert made == derived_uuid7(origin, "a", 1, [["tea", 2]])
        others = {
            derived_uuid7(origin, *facts) for facts in ([], ["a"], ["a1"], ["a", 1], [["a", 1]])
        }
        others |= {origin, derived_uuid7(uuid7(), "a", 1, [["tea", 2]])}
        assert len(others - {made}) == 7

    def test_is_one_by_the_letter_of_the_same_time(self) -> None:
        origin = uuid7()
        made = derived_uuid7(origin, "a")
        assert (made.version, made.variant) == (7, "specified in RFC 4122")
        assert made.int >> 80 == origin.int >> 80


class TestPublicId:
    @given(st.uuids())
    def test_comes_back(self, value: UUID) -> None:
        assert parse_public_id("pay", public_id("pay", value)) == value

    @pytest.mark.parametrize(
        "text",
        ["", "pay", "pay_", "pay_1", "ord_" + "0" * 32, "pay_" + "A" * 32, "pay_" + "0" * 33,
         "pay_" + "0" * 32 + "\n", " pay_" + "0" * 32, "pay_" + "٠" * 32],
    )  # fmt: skip
    def test_is_nothing_else(self, text: str) -> None:
        assert parse_public_id("pay", text) is None
