"""The home page: how today goes, and what waits for a person."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from gateways.outcome import Outcome, OutcomeKind
from payments.admin import home as home
from payments.admin.home import overview
from payments.cases.opening import CaseReport, open_cases
from payments.models import CaseKind
from payments.routing import breaker
from payments.states import Status
from tests.factories import OrderFactory, TransactionFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("staff_roles")]


class TestOverview:
    def test_adds_today_up_by_method_and_currency(self) -> None:
        TransactionFactory.create(status=Status.SUCCESS)
        TransactionFactory.create(status=Status.SUCCESS)
        TransactionFactory.create(status=Status.FAILED)
        TransactionFactory.create(status=Status.PROCESSING)
        order = OrderFactory.create(total=1_999, currency="USD")
        TransactionFactory.create(order=order, method="card", status=Status.FAILED)

        card, vnpay = overview(timezone.now()).methods or ()
        assert (card.method, card.volume, card.success_percent) == ("card", "$0.00", 0)
        assert (vnpay.volume, vnpay.started, vnpay.paid, vnpay.failed, vnpay.live) == (
            "₫300,000", 4, 2, 1, 1
        )  # fmt: skip
        assert vnpay.success_percent == 66

    def test_knows_no_rate_before_anything_has_ended(self) -> None:
        TransactionFactory.create()
        [row] = overview(timezone.now()).methods or ()
        assert row.success_percent is None

    def test_stacks_the_bars_from_the_ground(self) -> None:
        TransactionFactory.create(status=Status.SUCCESS)
        TransactionFactory.create(status=Status.FAILED)
        figures = overview(timezone.now())
        [bar] = [bar for bar in figures.bars if bar.paid or bar.failed]
        assert figures.busiest == 2
        assert (bar.paid_y, bar.paid_height) == (50.0, 50.0)
        assert (bar.failed_y, bar.failed_height) == (0.0, 50.0)
        assert bar.hour == timezone.localtime().hour

    def test_lists_what_is_open_for_too_long(self) -> None:
        payment = TransactionFactory.create(status=Status.PROCESSING)
        ended = TransactionFactory.create(status=Status.FAILED)
        now = timezone.now()
        assert list(overview(now).waiting) == []
        later = now + home.PENDING_TOO_LONG + timedelta(seconds=5)
        assert list(overview(later).waiting) == [payment]
        assert ended not in overview(later).waiting

    def test_gives_up_on_sums_that_take_too_long(
        self, as_support: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from django.db import connection  # noqa: PLC0415 - only this test is slow

        def slow(_: object) -> list[object]:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(1)")
            return []

        monkeypatch.setattr(home, "SUMS_TIMEOUT_MS", 20)
        monkeypatch.setattr(home, "_methods", slow)
        TransactionFactory.create()
        answer = as_support.get("/admin/")
        assert answer.status_code == 200
        assert "too much today to add it up" in answer.content.decode()


class TestHome:
    def test_names_a_gateway_that_does_not_answer(self, as_support: Client) -> None:
        assert "do not answer" not in as_support.get("/admin/").content.decode()
        silence = [Outcome(OutcomeKind.UNKNOWN)] * breaker.FAILURES_TO_OPEN
        breaker.note(gateway_name="paypal", outcomes=silence)
        html = as_support.get("/admin/").content.decode()
        assert "Gateways that do not answer" in html
        assert "/admin/payments/gatewaybreaker/paypal/change/" in html
        breakers = as_support.get("/admin/payments/gatewaybreaker/").content.decode()
        assert "open: held back" in breakers

    def test_shows_open_cases_and_the_shops_day(self, as_support: Client) -> None:
        payment = TransactionFactory.create(status=Status.SUCCESS)
        open_cases([CaseReport(CaseKind.DUPLICATE, transaction=payment, money=payment.money)])
        html = as_support.get("/admin/").content.decode()
        assert "A second success for an order that is paid or cancelled" in html
        assert payment.public_id in html

    @time_machine.travel("2026-11-22T20:00:00Z", tick=True)
    def test_is_on_the_shops_clock_and_in_english(self, as_support: Client) -> None:
        answer = as_support.get("/admin/", headers={"Accept-Language": "vi"})
        html = answer.content.decode()
        assert "Monday, 23 November 2026" in html
        assert '<html lang="en"' in html

    def test_is_empty_but_whole_without_payments(self, as_auditor: Client) -> None:
        html = as_auditor.get("/admin/").content.decode()
        assert "Nobody has paid anything yet today." in html
        assert "All money is accounted for." in html
