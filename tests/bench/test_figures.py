"""Medians, percentiles, rates and options."""

import pytest

from bench.figures import median, per_minute, percentiles
from bench.options import Options, read_options


class TestPercentiles:
    def test_name_a_value_that_somebody_waited_for(self) -> None:
        waits = [float(wait) for wait in range(1, 101)]
        assert percentiles(waits) == {"p50": 50.0, "p95": 95.0, "p99": 99.0}

    def test_of_few_values_are_the_largest_at_the_end(self) -> None:
        assert percentiles([3.0, 1.0, 2.0]) == {"p50": 2.0, "p95": 3.0, "p99": 3.0}

    def test_of_nothing_are_nothing(self) -> None:
        assert percentiles([]) == {"p50": None, "p95": None, "p99": None}


class TestMedian:
    def test_is_not_moved_by_one_bad_round(self) -> None:
        assert median([4000.0, 10.0, 4100.0]) == 4000.0

    def test_of_nothing_is_nothing(self) -> None:
        assert median([]) is None


class TestPerMinute:
    def test_is_a_rate(self) -> None:
        assert per_minute(2000, 30.0) == 4000.0

    def test_of_no_time_is_none_and_no_crash(self) -> None:
        assert per_minute(0, 0.0) == 0.0


class TestOptions:
    def test_are_the_defaults_without_arguments(self) -> None:
        assert read_options([]) == Options()

    def test_keep_a_history_on_which_foreign_keys_use_their_indexes(self) -> None:
        assert Options().history >= 20_000

    def test_take_what_is_given(self) -> None:
        given = read_options(["--rounds", "1", "--floor-payments", "50"])
        assert (given.rounds, given.floor_payments) == (1, 50)

    @pytest.mark.parametrize("value", ["0", "-1", "many"])
    def test_refuse_what_measures_nothing(self, value: str) -> None:
        with pytest.raises(SystemExit):
            read_options(["--rounds", value])
