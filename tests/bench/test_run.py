"""The whole benchmark, as small as it goes, as its user starts it."""

import json
import subprocess
import sys
from typing import Any, Final

import pytest

from bench import processes
from local.stack import ROOT

SMALL: Final = {
    "rounds": 1, "payments": 12, "floor-payments": 40, "alone-payments": 4, "open-payments": 6,
    "warm-up": 8, "history": 200,
}  # fmt: skip
LIMIT_S: Final = 300


@pytest.fixture(scope="module")
def done() -> subprocess.CompletedProcess[str]:
    options = [part for name, value in SMALL.items() for part in (f"--{name}", str(value))]
    return subprocess.run(
        [sys.executable, "-m", "bench.run", *options],
        cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def report(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


class TestBench:
    def test_loses_nothing_and_charges_nobody_twice(self, report: dict[str, Any]) -> None:
        assert (report["lost"], report["charged_twice"], report["phantom"]) == (0, 0, 0)
        assert (report["breaches"], report["errors"]) == ([], [])
        assert report["charges"] == 8 + 12 + 4 + 4 + 6

    def test_measures_both_sides_of_the_ratio(self, report: dict[str, Any]) -> None:
        assert report["payments_per_minute"] > 0
        assert report["floor_per_minute"] > report["payments_per_minute"]
        assert 0 < report["ratio"] < 1
        assert report["mix"] == {"vnpay": 0.5, "card": 0.5}
        assert [row["payments"] for row in report["rounds"]] == [12]

    def test_measures_waiting(self, report: dict[str, Any]) -> None:
        steady = report["post_ms"]
        assert 0 < steady["p50"] <= steady["p95"] <= steady["p99"]

    def test_counts_statements_and_commits(self, report: dict[str, Any]) -> None:
        # On a busy machine so few payments share no batch. What one payment costs exactly, and one
        # statement more, is counted in tests/payments/test_statements.py.
        assert 15 < report["statements_per_payment"] < 40
        assert 2 <= report["commits_per_payment"] < 6

    @pytest.mark.skipif(not processes.PROC.is_dir(), reason="only Linux has /proc")
    def test_names_every_process(self, report: dict[str, Any]) -> None:
        names = [row["name"] for row in report["processes"]]
        assert names == ["web", "worker", "beat", "sandbox", "postgres", "valkey", "load"]
