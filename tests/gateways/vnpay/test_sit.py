"""The acceptance test (SIT) that VNPAY runs against a shop's IPN address before it goes live.

Six cases, in the order and under the numbers of VNPAY's own tool, over two orders: one that gets
paid and one whose payment fails. A case passes with HTTP 2xx and the right ``RspCode``.
"""

import json
from collections.abc import Callable
from typing import Final, NamedTuple

import pytest
from django.db import OperationalError
from django.test import Client

from payments.inbox import inbox
from payments.models import Transaction, WebhookEvent, WebhookState
from payments.states import Status
from tests.factories import TransactionFactory
from tests.vnpay_ipn import ipn, refused

pytestmark = pytest.mark.django_db(transaction=True)

# Where the tool calls from, as a proxy of ours passes it on.
CALLER: Final = {"X-Forwarded-For": "113.160.92.202"}
OPEN, PAID, FAILED = Status.PROCESSING, Status.SUCCESS, Status.FAILED


class Case(NamedTuple):
    """``call`` gives the address out of the paying and the failing payment.

    ``after`` is how these two stand once it was called.
    """

    number: int
    what: str
    call: Callable[[Transaction, Transaction], str]
    answer: str
    after: tuple[Status, Status]


def more(paying: Transaction) -> str:
    """1,000 đồng more than was asked, as VNPAY writes it."""
    return str((paying.amount + 1_000) * 100)


SIT: Final = (
    Case(1, "wrong hash", lambda a, b: ipn(a, secret="wrong" * 8), "97", (OPEN, OPEN)),
    Case(2, "unknown vnp_TxnRef", lambda a, b: ipn(a, TxnRef="0" * 32), "01", (OPEN, OPEN)),
    Case(3, "1,000 đồng more", lambda a, b: ipn(a, Amount=more(a)), "04", (OPEN, OPEN)),
    Case(6, "failed payment", lambda a, b: refused(b), "00", (OPEN, FAILED)),
    Case(5, "successful payment", lambda a, b: ipn(a), "00", (PAID, FAILED)),
    Case(4, "case 5 once more", lambda a, b: ipn(a), "02", (PAID, FAILED)),
)


def answer(client: Client, address: str) -> str:
    """What VNPAY reads as the shop's word."""
    response = client.get(address, headers=CALLER)
    said = json.loads(response.content)
    assert (response.status_code, list(said)) == (200, ["RspCode", "Message"])
    return str(said["RspCode"])


class TestSit:
    def test_passes_all_six_cases(self, client: Client) -> None:
        paying, failing = (TransactionFactory.create(status=OPEN) for _ in range(2))
        for case in SIT:
            assert answer(client, case.call(paying, failing)) == case.answer, case.what
            for row in (paying, failing):
                row.refresh_from_db()
            assert (paying.status, failing.status) == case.after, case.what
        assert failing.failure_code == "cancelled"

    def test_is_told_99_while_something_of_ours_is_broken(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The case that is tried by hand: VNPAY calls again, and we try again by ourselves."""
        payment = TransactionFactory.create(status=OPEN)

        def break_down(*_: object) -> None:
            raise OperationalError("on purpose")

        monkeypatch.setattr(inbox, "apply_outcomes", break_down)
        assert answer(client, ipn(payment)) == "99"
        event = WebhookEvent.objects.get()
        assert (event.state, event.failures) == (WebhookState.NEW, 1)
        assert event.due_at is not None
