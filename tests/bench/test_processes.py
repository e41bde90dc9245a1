"""Processor time and memory out of /proc."""

import os
import subprocess
import sys

import pytest

from bench import processes
from bench.processes import usage

pytestmark = pytest.mark.skipif(not processes.PROC.is_dir(), reason="only Linux has /proc")

BURN = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass"


class TestUsage:
    def test_counts_what_dead_children_used(self) -> None:
        before = usage({"me": os.getpid()})["me"]
        subprocess.run([sys.executable, "-c", BURN], check=True)
        after = usage({"me": os.getpid()})["me"]
        assert after.cpu_s - before.cpu_s >= 0.25

    def test_counts_living_children_of_children(self) -> None:
        nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BURN!r}])"
        before = usage({"me": os.getpid()})["me"]
        subprocess.run([sys.executable, "-c", nested], check=True)
        after = usage({"me": os.getpid()})["me"]
        assert after.cpu_s - before.cpu_s >= 0.25

    def test_shares_out_what_processes_share(self) -> None:
        mine = usage({"me": os.getpid()})["me"]
        assert 0 < mine.pss_mb <= mine.rss_mb

    def test_leaves_out_a_process_that_has_gone(self) -> None:
        gone = subprocess.Popen([sys.executable, "-c", ""])
        gone.wait()
        assert usage({"gone": gone.pid}) == {}
