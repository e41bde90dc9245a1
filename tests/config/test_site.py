"""What every part shares: health, unknown paths, broken databases, the sweep command."""

from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError
from rest_framework.test import APIClient

from api.problems import get_status_title
from orders import selectors
from payments.states import Status
from tests.factories import TransactionFactory

pytestmark = pytest.mark.django_db(transaction=True)


class TestAnUnknownPath:
    @pytest.mark.parametrize("path", ["/payments/pay_1/nothing", "/orders/ord_1/x/y", "/refund"])
    def test_is_a_problem_document_for_a_program(self, api: APIClient, path: str) -> None:
        api.raise_request_exception = False
        answer = api.get(path, headers={"Accept": "application/json"})
        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["code"] == "not_found"


class TestAPageOfTheApi:
    def test_is_refused_to_a_program_in_json(self, api: APIClient) -> None:
        answer = api.get("/docs", headers={"Accept": "application/json"})
        assert answer.status_code == 406
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["code"] == "not_acceptable"


class TestADatabaseThatIsGone:
    def test_is_a_503_that_says_how_to_go_on(
        self, api: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def gone(*_: object) -> None:
            raise OperationalError("server closed the connection: password=hunter2")

        monkeypatch.setattr(selectors, "find_orders", gone)
        answer = api.get("/orders")
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert answer.headers["Retry-After"] == "1"
        assert "hunter2" not in answer.content.decode()


class TestTitles:
    def test_are_the_same_with_every_python(self) -> None:
        assert get_status_title(413) == "Content Too Large"
        assert get_status_title(422) == "Unprocessable Content"
        assert get_status_title(409) == "Conflict"


class TestSweep:
    def test_says_that_there_is_nothing_to_do(self) -> None:
        assert _sweep() == "woken: nothing is due\n"

    def test_wakes_the_queues_with_work(self) -> None:
        TransactionFactory.create()
        assert _sweep() == "woken: gateway.vnpay\n"

    def test_does_the_work_itself_without_redis(self) -> None:
        payment = TransactionFactory.create()
        assert _sweep("--here") == "drained: gateway.vnpay\n"
        payment.refresh_from_db()
        assert payment.status == Status.PROCESSING
        assert payment.next_action is not None


def _sweep(*arguments: str) -> str:
    out = StringIO()
    call_command("sweep", *arguments, stdout=out)
    return out.getvalue()


class TestSettings:
    def test_believe_no_header_about_the_scheme_without_a_proxy(self) -> None:
        assert settings.TRUSTED_PROXIES == 0
        assert not getattr(settings, "SECURE_PROXY_SSL_HEADER", None)

    def test_sign_tokens_with_a_key_of_their_own(self) -> None:
        assert settings.SIMPLE_JWT["SIGNING_KEY"] != settings.SECRET_KEY

    def test_let_celery_speak_json_only(self) -> None:
        assert settings.CELERY_ACCEPT_CONTENT == ["json"]
        assert not getattr(settings, "CELERY_TASK_ALWAYS_EAGER", False)
