"""``manage.py doctor`` against gateways that are really asked, well and ill."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer
from typing_extensions import override

from gateways.momo.gateway import MomoGateway
from gateways.webhook import Delivery, Notice, WebhookRefused
from ops.doctor import Finding, Verdict, examine
from payments.models import Transaction
from payments.routing import registry
from tests.factories import TransactionFactory
from tests.gateways.contract.gateway_case import MOMO, PAYPAL, STRIPE_BY_TOKEN, VNPAY, GatewayCase
from tests.gateways.local_server import refused_url
from tests.sandbox.sandbox_process import SandboxProcess

pytestmark = pytest.mark.django_db(transaction=True)
GATEWAYS = (STRIPE_BY_TOKEN, PAYPAL, VNPAY, MOMO)
CHECKS = ("settings", "credentials", "clock", "signature", "webhook")

Configure = Callable[..., None]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    made = SandboxProcess(tmp_path_factory.mktemp("sandbox"), "").start()
    yield made
    made.end()
    made.http.close()


@pytest.fixture
def configure(
    sandbox: SandboxProcess, settings: Settings, live_server: LiveServer
) -> Iterator[Configure]:
    """Settings with all gateways; ``changes`` are options of one of them."""

    def write(name: str = "", url: str = "", **changes: str) -> None:
        settings.BASE_URL = live_server.url
        settings.GATEWAYS = {
            case.adapter.name: _entry(
                case, sandbox, url, changes if case.adapter.name == name else {}
            )
            for case in GATEWAYS
        }
        registry.gateways.cache_clear()

    write()
    yield write
    registry.gateways.cache_clear()


def _entry(
    case: GatewayCase, sandbox: SandboxProcess, url: str, changes: dict[str, str]
) -> dict[str, Any]:
    adapter = f"{case.adapter.__module__}.{case.adapter.__qualname__}"
    return {"adapter": adapter, "options": case.made(sandbox, url) | changes, "enabled": True}


class Credulous(MomoGateway):
    """Accepts every webhook as its own sample."""

    @override
    def read_webhook(self, delivery: Delivery) -> tuple[Notice, ...]:
        return super().read_webhook(self.sample_webhook(timezone.now()))


class Incredulous(MomoGateway):
    """Takes not even its own sample for genuine."""

    @override
    def read_webhook(self, delivery: Delivery) -> tuple[Notice, ...]:
        raise WebhookRefused("the signature does not fit")


def found(subject: str, check: str) -> Finding:
    (finding,) = [each for each in examine() if (each.subject, each.check) == (subject, check)]
    return finding


class TestDoctor:
    def test_finds_nothing_wrong_where_nothing_is(self, configure: Configure) -> None:
        out = StringIO()
        call_command("doctor", stdout=out)
        lines = out.getvalue().splitlines()
        for case in GATEWAYS:
            checks = [line.split()[2] for line in lines if line.split()[1] == case.adapter.name]
            says = ["account"] if case is STRIPE_BY_TOKEN else []
            assert checks == [*CHECKS[:2], *says, *CHECKS[2:]]
        assert {line.split()[0] for line in lines} == {"ok", "skipped"}
        assert [line for line in lines if line.startswith("skipped")] == [
            "skipped  paypal     signature    only the gateway can sign"
        ]

    def test_exits_with_the_number_of_failures(self, configure: Configure) -> None:
        configure("momo", secret_key="another-key-of-nobody-at-all-000")
        with pytest.raises(CommandError, match="1 of these"):
            call_command("doctor", stdout=StringIO())

    @pytest.mark.parametrize("case", GATEWAYS, ids=str)
    def test_sees_refused_credentials(self, configure: Configure, case: GatewayCase) -> None:
        configure(case.adapter.name, **case.strangers)
        finding = found(case.adapter.name, "credentials")
        assert finding.verdict is Verdict.FAILED
        assert "refused" in finding.detail
        assert not [secret for secret in case.secrets if secret in str(finding)]

    def test_tells_whose_the_keys_are_where_the_gateway_says(self, configure: Configure) -> None:
        finding = found("stripe", "account")
        assert (finding.verdict, finding.detail) == (
            Verdict.OK,
            "the keys are of acct_suite: set STRIPE_ACCOUNT=acct_suite",
        )
        configure("stripe", account="acct_suite")
        assert found("stripe", "account").detail == "the keys are of acct_suite"

    def test_sees_the_keys_of_another_account(self, configure: Configure) -> None:
        configure("stripe", account="acct_other")
        finding = found("stripe", "account")
        assert finding.verdict is Verdict.FAILED
        assert finding.detail == (
            "acct_other is set, and the keys are of acct_suite: set STRIPE_ACCOUNT=acct_suite"
        )

    def test_sees_a_gateway_that_does_not_answer(self, configure: Configure) -> None:
        configure(url=refused_url())
        finding = found("stripe", "credentials")
        assert (finding.verdict, finding.detail[:9]) == (Verdict.FAILED, "no answer")
        assert found("stripe", "clock").verdict is Verdict.SKIPPED

    def test_sees_settings_that_cannot_be_and_goes_on(self, configure: Configure) -> None:
        configure("vnpay", tmn_code="TOO-LONG-FOR-VNPAY")
        finding = found("vnpay", "settings")
        assert (finding.verdict, finding.detail) == (
            Verdict.FAILED,
            "vnpay tmn_code must be 8 letters and digits",
        )

    def test_sees_a_clock_that_is_wrong(self, configure: Configure) -> None:
        with time_machine.travel(timezone.now() + timedelta(minutes=10)):
            finding = found("stripe", "clock")
        assert finding.verdict is Verdict.FAILED
        assert finding.detail in {"599 s apart", "600 s apart", "601 s apart"}

    @pytest.mark.parametrize("adapter", [Credulous, Incredulous])
    def test_sees_a_signature_that_proves_nothing(
        self, configure: Configure, settings: Settings, adapter: type[MomoGateway]
    ) -> None:
        assert found("momo", "signature").verdict is Verdict.OK
        settings.GATEWAYS["momo"]["adapter"] = f"{__name__}.{adapter.__name__}"
        finding = found("momo", "signature")
        assert finding.verdict is Verdict.FAILED
        assert finding.detail == "our own sample is not told from a forged"

    def test_sees_a_base_url_that_leads_to_somebody_else(
        self, configure: Configure, sandbox: SandboxProcess, settings: Settings
    ) -> None:
        settings.BASE_URL = sandbox.url
        finding = found("stripe", "webhook")
        assert finding.verdict is Verdict.FAILED
        assert "not as this system does" in finding.detail

    def test_sees_a_base_url_that_leads_nowhere(
        self, configure: Configure, settings: Settings
    ) -> None:
        settings.BASE_URL = refused_url()
        assert found("vnpay", "webhook").verdict is Verdict.FAILED

    def test_sees_work_that_nobody_does(self, configure: Configure) -> None:
        payment = TransactionFactory.create()
        Transaction.objects.filter(pk=payment.pk).update(
            due_at=timezone.now() - timedelta(minutes=3)
        )
        finding = found("system", "work")
        assert finding.verdict is Verdict.FAILED
        assert "180 s" in finding.detail

    def test_sees_payments_that_nobody_can_be_asked_about(
        self, configure: Configure, settings: Settings
    ) -> None:
        TransactionFactory.create(method="momo")
        assert found("system", "followed").verdict is Verdict.OK
        settings.GATEWAYS = {"momo": {"enabled": False}}
        finding = found("system", "followed")
        assert finding.verdict is Verdict.FAILED
        assert "open payments at momo" in finding.detail

    def test_says_which_gateway_is_not_offered(
        self, configure: Configure, settings: Settings
    ) -> None:
        settings.GATEWAYS = {"stripe": {"enabled": False}}
        assert found("stripe", "settings").verdict is Verdict.SKIPPED
