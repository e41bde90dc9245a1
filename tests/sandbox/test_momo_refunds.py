"""Money that moves at the emulated MoMo after the payment: confirm, refund, settlement."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.momo_client import (
    PARTNER,
    confirm,
    paid,
    query,
    read_trans_id,
    refund,
    refund_body,
    send,
)
from tests.sandbox.sandbox_process import SandboxProcess

if TYPE_CHECKING:
    pass

pytestmark = pytest.mark.usefixtures("acknowledging_shop")


class TestRefund:
    def test_gives_a_part_and_then_the_rest_back(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        number = read_trans_id(paid(sandbox, reference))
        first, rest = refund(sandbox, number, 50_000), refund(sandbox, number, 100_000)
        assert (first["resultCode"], rest["resultCode"]) == (0, 0)
        assert len({number, first["transId"], rest["transId"]}) == 3
        listed = query(sandbox, reference)["refundTrans"]
        assert [(each["amount"], each["resultCode"]) for each in listed] == [
            (50_000, 0),
            (100_000, 0),
        ]
        charge = sandbox.charge(reference)
        assert (charge["status"], charge["refunded"]) == ("refunded", 150_000)
        assert refund(sandbox, number, 1_000)["resultCode"] == 1081

    def test_needs_an_order_id_of_its_own(self, sandbox: SandboxProcess, reference: str) -> None:
        number = read_trans_id(paid(sandbox, reference))
        assert refund(sandbox, number, 5_000, orderId=reference)["resultCode"] == 41
        assert sandbox.charge(reference)["refunded"] == 0

    @pytest.mark.parametrize(("dong", "code"), [(999, 22), (150_001, 1081)])
    def test_keeps_to_its_bounds(
        self, sandbox: SandboxProcess, reference: str, dong: int, code: int
    ) -> None:
        number = read_trans_id(paid(sandbox, reference))
        assert refund(sandbox, number, dong)["resultCode"] == code
        assert sandbox.charge(reference)["refunded"] == 0

    def test_has_a_higher_floor_for_atm_cards(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        number = read_trans_id(paid(sandbox, reference, requestType="payWithATM"))
        assert refund(sandbox, number, 9_000)["resultCode"] == 22
        assert refund(sandbox, number, 10_000)["resultCode"] == 0

    def test_is_unknown_for_a_number_nobody_gave(self, sandbox: SandboxProcess) -> None:
        assert refund(sandbox, 1, 5_000)["resultCode"] == 42

    def test_is_the_same_refund_under_the_same_request_id(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        body = refund_body(read_trans_id(paid(sandbox, reference)), 5_000)
        first, again = (send(sandbox, "refund", body).json() for _ in range(2))
        assert first == again
        assert sandbox.charge(reference)["refunded"] == 5_000

    def test_fails_for_now_and_works_as_a_new_one(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        number = read_trans_id(paid(sandbox, reference))
        assert refund(sandbox, number, 11_080)["resultCode"] == 1080
        assert sandbox.charge(reference)["refunded"] == 0
        sandbox.behaviour(gateway="momo", reference=reference, decision="decline:1080")
        assert refund(sandbox, number, 5_000)["resultCode"] == 1080
        sandbox.behaviour(gateway="momo", reference=reference)
        assert refund(sandbox, number, 5_000)["resultCode"] == 0

    def test_may_take_a_minute(self, sandbox: SandboxProcess, reference: str) -> None:
        number = read_trans_id(paid(sandbox, reference))
        body = refund_body(number, 17_002)
        assert send(sandbox, "refund", body).json()["resultCode"] == 7002
        asked = {**body, "requestId": uuid.uuid4().hex}
        assert send(sandbox, "refund/query", asked).json()["resultCode"] == 7002
        # The repeat of a request that is not final must not move money twice.
        assert send(sandbox, "refund", body).json()["resultCode"] == 40
        sandbox.control("clock", advance_s=61)
        found = send(sandbox, "refund/query", asked).json()
        (entry,) = found["refundTrans"]
        assert (entry["orderId"], entry["amount"], entry["resultCode"]) == (
            body["orderId"],
            17_002,
            0,
        )
        assert sandbox.charge(reference)["refunded"] == 17_002

    def test_is_unknown_to_a_query_before_it_was_made(self, sandbox: SandboxProcess) -> None:
        body = {"partnerCode": PARTNER, "requestId": uuid.uuid4().hex, "orderId": "r-1"}
        assert send(sandbox, "refund/query", body).json()["resultCode"] == 42


class TestConfirm:
    def hold(self, sandbox: SandboxProcess, reference: str) -> None:
        assert paid(sandbox, reference, autoCapture=False)["resultCode"] == 9000
        charge = sandbox.charge(reference)
        assert (charge["status"], charge["captured"]) == ("authorized", 0)

    def test_takes_what_was_held(self, sandbox: SandboxProcess, reference: str) -> None:
        self.hold(sandbox, reference)
        assert confirm(sandbox, reference, 150_000, "capture")["resultCode"] == 0
        assert query(sandbox, reference)["resultCode"] == 0
        assert sandbox.charge(reference)["captured"] == 150_000
        assert confirm(sandbox, reference, 150_000, "cancel")["resultCode"] == 47

    def test_lets_the_money_go(self, sandbox: SandboxProcess, reference: str) -> None:
        self.hold(sandbox, reference)
        assert confirm(sandbox, reference, 150_000, "cancel")["resultCode"] == 0
        assert query(sandbox, reference)["resultCode"] == 1003
        assert sandbox.charge(reference)["status"] == "voided"
        assert confirm(sandbox, reference, 150_000, "capture")["resultCode"] == 47

    def test_takes_the_whole_amount_only(self, sandbox: SandboxProcess, reference: str) -> None:
        self.hold(sandbox, reference)
        assert confirm(sandbox, reference, 50_000, "capture")["resultCode"] == 22
        assert sandbox.charge(reference)["captured"] == 0

    def test_comes_too_late_after_a_month(self, sandbox: SandboxProcess, reference: str) -> None:
        self.hold(sandbox, reference)
        sandbox.control("clock", advance_s=31 * 24 * 3600)
        assert query(sandbox, reference)["resultCode"] == 1003

    def test_comes_before_any_refund(self, sandbox: SandboxProcess, reference: str) -> None:
        self.hold(sandbox, reference)
        number = read_trans_id(query(sandbox, reference))
        assert refund(sandbox, number, 5_000)["resultCode"] == 1088


class TestSettlement:
    def test_lists_payments_and_refunds_of_a_day(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        payment = paid(sandbox, reference)
        refund(sandbox, read_trans_id(payment), 50_000)
        at = sandbox.charge(reference)["captured_at"]
        day = datetime.fromisoformat(at).astimezone(timezone(timedelta(hours=7))).date()
        report = sandbox.http.get(
            f"{sandbox.url}/control/settlement",
            params={"gateway": "momo", "date": day.isoformat()},
            timeout=10,
        ).json()
        lines = [each for each in report["lines"] if each["reference"] == reference]
        assert [(each["type"], each["gross"], each["fee"]) for each in lines] == [
            ("payment", 150_000, 2_250),
            ("refund", -50_000, 0),
        ]
