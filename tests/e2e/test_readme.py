"""The README's words, tried: the commands under "Your first API payment" pay an order."""

import json
import os
import re
import shutil
import subprocess

import pytest

from tests.e2e.shop import ROOT, Shop

ADDRESS = "API=http://127.0.0.1:8000"


def commands() -> str:
    """The shell block of that chapter."""
    chapter = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Your first API")[2]
    found = re.search(r"```sh\n(.+?)```", chapter, re.DOTALL)
    assert found is not None
    return found[1].strip()


@pytest.mark.skipif(shutil.which("curl") is None, reason="the README's commands need curl")
class TestTheReadmesFirstPayment:
    def test_is_paid_by_the_commands_as_printed(self, shop: Shop) -> None:
        shop.behave("*", decision="approve")
        payment = json.loads(_run(shop, commands()))
        assert payment["status"] == "SUCCESS"
        assert (payment["amount"], payment["currency"]) == (1_999, "USD")
        assert len(shop.charges(payment["id"])) == 1

    def test_is_never_paid_twice_by_repeating_the_last_command(self, shop: Shop) -> None:
        shop.behave("*", decision="approve")
        before, curl, last = commands().rpartition("\ncurl")
        printed = _run(shop, f"{before}{curl}{last}; echo; {curl}{last}")
        first, second = (json.loads(line) for line in printed.split("\n") if line.strip())
        assert first["id"] == second["id"]
        assert len(shop.charges(first["id"])) == 1


def _run(shop: Shop, script: str) -> str:
    """What a shell prints that has only the demo's password, with the address of this stack."""
    assert ADDRESS in script
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace(ADDRESS, f"API={shop.base}")],
        env=dict(os.environ) | {"DEMO_PASSWORD": shop.stack.settings["DEMO_PASSWORD"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
