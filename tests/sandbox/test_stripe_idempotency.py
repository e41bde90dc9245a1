"""Idempotency keys at the emulated Stripe."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    from tests.sandbox.sandbox_process import SandboxProcess


class TestIdempotency:
    def post(
        self, sandbox: SandboxProcess, key: str, body: str, path: str = ""
    ) -> requests.Response:
        return sandbox.http.post(
            f"{sandbox.url}/v1/payment_intents{path}",
            data=body,
            headers={"Authorization": "Bearer sk_test_sandbox_suite", "Idempotency-Key": key},
            timeout=10,
        )

    def test_gives_the_first_answer_again(self, sandbox: SandboxProcess, reference: str) -> None:
        body = f"amount=500&currency=usd&metadata[reference]={reference}"
        first, second = (self.post(sandbox, reference, body) for _ in range(2))
        assert (first.status_code, first.text) == (second.status_code, second.text)
        assert "Idempotent-Replayed" not in first.headers
        assert second.headers["Idempotent-Replayed"] == "true"
        assert len(sandbox.journal(reference=reference)["charges"]) == 1

    def test_gives_a_decline_again(self, sandbox: SandboxProcess, reference: str) -> None:
        body = (
            "amount=500&currency=usd&confirm=true&payment_method=pm_card_visa_chargeDeclined"
            f"&metadata[reference]={reference}"
        )
        first, second = (self.post(sandbox, reference, body) for _ in range(2))
        assert (first.status_code, first.text) == (402, second.text)
        assert len(sandbox.journal(reference=reference)["charges"]) == 1

    def test_refuses_other_parameters_and_other_paths(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        intent = self.post(sandbox, reference, "amount=500&currency=usd").json()["id"]
        other = self.post(sandbox, reference, "amount=501&currency=usd")
        assert (other.status_code, other.json()["error"]["type"]) == (400, "idempotency_error")
        path = self.post(sandbox, reference, "amount=500&currency=usd", f"/{intent}")
        assert path.json()["error"]["type"] == "idempotency_error"

    def test_forgets_a_request_that_was_refused(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        assert self.post(sandbox, reference, "amount=5x&currency=usd").status_code == 400
        assert self.post(sandbox, reference, "amount=500&currency=usd").status_code == 200

    def test_refuses_a_key_that_is_running(self, sandbox: SandboxProcess, reference: str) -> None:
        sandbox.behaviour(gateway="stripe", decision="approve", decide_after_ms=800)
        body = (
            "amount=500&currency=usd&confirm=true&payment_method=pm_card_visa"
            f"&metadata[reference]={reference}"
        )
        first: list[requests.Response] = []
        thread = threading.Thread(
            target=lambda: first.append(
                requests.post(
                    f"{sandbox.url}/v1/payment_intents",
                    data=body,
                    headers={
                        "Authorization": "Bearer sk_test_sandbox_suite",
                        "Idempotency-Key": reference,
                    },
                    timeout=10,
                )
            )
        )
        thread.start()
        time.sleep(0.3)
        second = self.post(sandbox, reference, body)
        thread.join()
        assert second.status_code == 409
        assert second.json()["error"]["code"] == "idempotency_key_in_use"
        assert first[0].status_code == 200
        assert sandbox.charge(reference)["captured"] == 500

    def test_executes_again_after_a_day(self, own_sandbox: SandboxProcess, reference: str) -> None:
        body = f"amount=500&currency=usd&metadata[reference]={reference}"
        first = self.post(own_sandbox, reference, body).json()["id"]
        own_sandbox.control("clock", advance_s=86_401)
        assert self.post(own_sandbox, reference, body).json()["id"] != first
        assert len(own_sandbox.journal(reference=reference)["charges"]) == 2

    def test_refuses_a_key_that_is_too_long(self, sandbox: SandboxProcess) -> None:
        assert self.post(sandbox, "k" * 256, "amount=500&currency=usd").status_code == 400
