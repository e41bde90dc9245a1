"""The journal: nothing that was answered is lost, whatever ends the process."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from sandbox.journal import JOURNAL, Journal, JournalError
from tests.sandbox.sandbox_process import ROOT, SandboxProcess, Shop
from tests.sandbox.vnpay_client import attempts, link_params, open_link, query, returned

if TYPE_CHECKING:
    from pathlib import Path


class TestKill:
    def test_keeps_charges_keys_and_retries(
        self, own_sandbox: SandboxProcess, own_shop: Shop, reference: str
    ) -> None:
        own_shop.answer = (500, b"")
        own_sandbox.behaviour(gateway="vnpay", decision="approve")
        params = link_params(reference)
        open_link(own_sandbox, params)
        attempts(own_sandbox, reference, 1)
        body = {"amount": 500, "currency": "usd", "metadata": {"reference": f"{reference}s"}}
        first = own_sandbox.stripe().v1.payment_intents.create(body, {"idempotency_key": reference})
        before = own_sandbox.journal()["charges"]
        own_sandbox.end(signal.SIGKILL)
        own_sandbox.start()
        assert own_sandbox.journal()["charges"] == before
        again = own_sandbox.stripe().v1.payment_intents.create(body, {"idempotency_key": reference})
        assert again.id == first.id
        assert query(own_sandbox, params)["vnp_TransactionStatus"] == "00"
        own_sandbox.control("clock", advance_s=301)
        attempts(own_sandbox, reference, 2)

    def test_loses_no_answered_charge_under_load(
        self, own_sandbox: SandboxProcess, reference: str
    ) -> None:
        answered: list[str] = []

        def pay(number: int) -> None:
            own = f"{reference}{number}"
            try:
                own_sandbox.stripe().v1.payment_intents.create(
                    {
                        "amount": 500,
                        "currency": "usd",
                        "confirm": True,
                        "payment_method": "pm_card_visa",
                        "metadata": {"reference": own},
                    }
                )
            except Exception:  # noqa: BLE001 - whatever it is, there was no answer
                return
            answered.append(own)
            if len(answered) == 20 and own_sandbox.process is not None:
                os.kill(own_sandbox.process.pid, signal.SIGKILL)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(pay, range(40)))
        assert own_sandbox.process is not None
        own_sandbox.process.wait(timeout=10)
        own_sandbox.start()
        taken = {row["reference"] for row in own_sandbox.journal()["charges"] if row["captured"]}
        assert len(answered) >= 20
        assert set(answered) <= taken


class TestParallel:
    def test_takes_fifty_equal_requests_as_one(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        def pay(_: int) -> tuple[int, str]:
            answer = sandbox.http.post(
                f"{sandbox.url}/v1/payment_intents",
                data=f"amount=700&currency=usd&confirm=true&payment_method=pm_card_visa"
                f"&metadata[reference]={reference}",
                headers={
                    "Authorization": "Bearer sk_test_sandbox_suite",
                    "Idempotency-Key": reference,
                },
                timeout=20,
            )
            return answer.status_code, answer.json().get("id", "")

        with ThreadPoolExecutor(10) as pool:
            answers = list(pool.map(pay, range(50)))
        assert len({found for status, found in answers if status == 200}) == 1
        assert {status for status, _ in answers} <= {200, 409}
        assert sandbox.charge(reference)["captured"] == 700

    def test_takes_fifty_payments_side_by_side(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        sandbox.behaviour(gateway="vnpay", decision="approve")

        def pay(number: int) -> str:
            answer = open_link(sandbox, link_params(f"{reference}{number}"))
            return returned(answer)["vnp_TransactionNo"]

        with ThreadPoolExecutor(10) as pool:
            numbers = list(pool.map(pay, range(50)))
        assert len(set(numbers)) == 50


def reopened(folder: Path) -> dict[str, dict[str, object]]:
    async def read() -> dict[str, dict[str, object]]:
        journal = Journal(folder)
        journal.open()
        table = dict(journal.table("things"))
        await journal.close()
        return table

    return asyncio.run(read())


def write(folder: Path, numbers: range, key: str = "{}") -> None:
    async def put() -> None:
        journal = Journal(folder)
        journal.open()
        for number in numbers:
            journal.put("things", key.format(number), {"number": number})
            await journal.durable()
        await journal.close()

    asyncio.run(put())


class TestBook:
    def test_forgets_a_group_that_was_torn(self, tmp_path: Path) -> None:
        write(tmp_path, range(3))
        journal = tmp_path / JOURNAL
        journal.write_bytes(journal.read_bytes()[:-5])
        assert list(reopened(tmp_path)) == ["0", "1"]
        write(tmp_path, range(7, 8))
        assert list(reopened(tmp_path)) == ["0", "1", "7"]

    def test_is_rewritten_when_most_of_it_is_old(self, tmp_path: Path) -> None:
        write(tmp_path, range(1100), key="same")
        size = (tmp_path / JOURNAL).stat().st_size
        assert reopened(tmp_path) == {"same": {"number": 1099}}
        assert (tmp_path / JOURNAL).stat().st_size < size / 100
        assert reopened(tmp_path) == {"same": {"number": 1099}}

    def test_belongs_to_one_process(self, tmp_path: Path) -> None:
        async def twice() -> None:
            first, second = Journal(tmp_path), Journal(tmp_path)
            first.open()
            with pytest.raises(JournalError, match="Another sandbox"):
                second.open()
            await first.close()
            await second.close()

        asyncio.run(twice())


class TestStart:
    @pytest.mark.parametrize(
        ("env", "says"),
        [
            ({"DJANGO_ENV": "production"}, "never runs in production"),
            ({"SANDBOX_HOST": "0.0.0.0"}, "not a loopback address"),  # noqa: S104 - to be refused
            ({"SANDBOX_PORT": "many"}, "not a port number"),
            ({"SANDBOX_DECISION": "maybe"}, "decision must be one of"),
        ],
    )
    def test_is_refused(self, tmp_path: Path, env: dict[str, str], says: str) -> None:
        run = subprocess.run(
            [sys.executable, "-m", "sandbox"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "SANDBOX_DATA_DIR": str(tmp_path)} | env,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert run.returncode == 2
        assert says in run.stderr

    def test_says_that_the_port_is_taken(self, own_sandbox: SandboxProcess, tmp_path: Path) -> None:
        other = SandboxProcess(tmp_path / "other", "", port=own_sandbox.port)
        run = subprocess.run(
            [sys.executable, "-m", "sandbox"],
            cwd=ROOT,
            env=other.env,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert run.returncode == 2
        assert "SANDBOX_PORT" in run.stderr

    def test_does_not_play_a_gateway_without_keys(self, tmp_path: Path) -> None:
        sandbox = SandboxProcess(tmp_path, "", more_env={"STRIPE_SECRET_KEY": ""}).start()
        health = sandbox.http.get(f"{sandbox.url}/control/health", timeout=5).json()
        assert sandbox.end() == 0
        assert health["gateways"] == ["paypal", "vnpay", "momo"]
        sandbox.http.close()
