"""The staff's search language, without a database."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from django.db.models import Q
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from backoffice import query
from backoffice.query import CLAUSES_MAX, Clause, QueryError, condition, parse
from durable.ids import uuid7
from money.money import EXPONENTS
from orders.admin.amounts import amount

TERMS = {
    "status": query.choice("status", ["SUCCESS", "FAILED"]),
    "number": query.number("number"),
    "created": query.day("created_at"),
    "id": query.identifier("pk", "pay"),
    "applied": query.flag("applied"),
    "email": query.email("email"),
}


def meaning(text: str) -> Q:
    return condition(parse(text), TERMS, query.text("word"))


class TestParse:
    def test_reads_words_fields_and_operators(self) -> None:
        assert parse("linh status:failed number>=7 -applied:yes") == [
            Clause("", ":", "linh"),
            Clause("status", ":", "failed"),
            Clause("number", ">=", "7"),
            Clause("applied", ":", "yes", negated=True),
        ]

    def test_keeps_what_is_quoted_in_one_piece(self) -> None:
        assert parse("""-"two words" client:'a b'""") == [
            Clause("", ":", "two words", negated=True),
            Clause("client", ":", "a b"),
        ]

    def test_takes_the_word_and_for_what_a_space_means(self) -> None:
        assert parse("status:failed AND number:7") == parse("status:failed number:7")

    @pytest.mark.parametrize(
        ("text", "part"),
        [
            ('"never closed', "quote"),
            ("status:", "missing"),
            ("a OR b", "AND only"),
            ("x " * (CLAUSES_MAX + 1), "at most"),
            ("x" * 301, "300"),
            ("nul\x00", "character"),
        ],
    )
    def test_says_what_it_cannot_read(self, text: str, part: str) -> None:
        with pytest.raises(QueryError, match=part):
            parse(text)

    @given(st.text(max_size=320))
    def test_gives_clauses_or_a_friendly_word_for_any_text(self, text: str) -> None:
        with suppress(QueryError):
            meaning(text)


class TestCondition:
    def test_joins_by_and(self) -> None:
        assert meaning("status:failed number>7") == Q(status="FAILED") & Q(number__gt=7)

    def test_turns_a_clause_round(self) -> None:
        assert meaning("-status:SUCCESS") == ~Q(status="SUCCESS")

    def test_lists_the_fields_for_one_it_does_not_know(self) -> None:
        with pytest.raises(QueryError, match="applied, created, email, id, number, status"):
            meaning("colour:red")

    @pytest.mark.parametrize(
        "text",
        ["status:lost", "status>FAILED", "number:many", "number:-1", "created:tomorrow",
         "created:0001-01-01", "id:pay_12", "applied:perhaps"],
    )  # fmt: skip
    def test_refuses_a_value_that_does_not_fit_its_field(self, text: str) -> None:
        with pytest.raises(QueryError):
            meaning(text)

    def test_reads_a_day_on_the_readers_clock(self) -> None:
        with timezone.override("Asia/Ho_Chi_Minh"):
            condition_of_day = meaning("created:2026-11-22")
        assert condition_of_day == Q(
            created_at__gte=datetime(2026, 11, 21, 17, tzinfo=UTC),
            created_at__lt=datetime(2026, 11, 22, 17, tzinfo=UTC),
        )

    @pytest.mark.parametrize("shape", ["pay_{}", "{}"])
    def test_reads_an_id_in_every_form(self, shape: str) -> None:
        key = uuid7()
        assert meaning(f"id:{shape.format(key.hex)}") == Q(pk=key)
        assert meaning(f"id:{key}") == Q(pk=key)

    def test_does_not_take_an_order_for_a_payment(self) -> None:
        with pytest.raises(QueryError):
            meaning(f"id:ord_{uuid7().hex}")


class TestAmount:
    @staticmethod
    def bounds(operator: str, value: str) -> dict[int, Q]:
        """What is asked of the minor units, by the number of decimals of the currency."""
        whole = amount("amount")(operator, value)
        found = {}
        for group in whole.children:
            assert isinstance(group, Q)
            codes, bound = group.children
            assert isinstance(codes, tuple)
            found[EXPONENTS[codes[1][0]]] = bound if isinstance(bound, Q) else Q(bound)
        return found

    def test_means_the_major_units_of_each_currency(self) -> None:
        assert self.bounds(">", "1000") == {
            0: Q(amount__gt=1000),
            2: Q(amount__gt=100_000),
            3: Q(amount__gt=1_000_000),
        }

    def test_moves_a_bound_between_two_minor_units_to_the_same_rows(self) -> None:
        assert self.bounds(">", "19.5")[0] == Q(amount__gt=19)
        assert self.bounds(">=", "19.5")[0] == Q(amount__gte=20)
        assert self.bounds("<", "19.5")[0] == Q(amount__lt=20)
        assert self.bounds("<=", "19.5")[0] == Q(amount__lte=19)

    def test_finds_no_whole_sum_with_decimals(self) -> None:
        assert self.bounds(":", "19.99") == {
            0: Q(pk__in=[]), 2: Q(amount=1999), 3: Q(amount=19990)
        }  # fmt: skip

    @pytest.mark.parametrize("value", ["much", "-1", "NaN", "Infinity", "1e400", "1,000"])
    def test_refuses_what_nobody_can_pay(self, value: str) -> None:
        with pytest.raises(QueryError):
            amount("amount")(">", value)
