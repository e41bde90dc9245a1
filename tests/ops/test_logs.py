"""Log lines as production writes them: JSON, with the request or payment at hand, no secrets."""

import json
import logging
import logging.config
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import SuspiciousOperation
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from gateways.operation import Operation
from gateways.outcome import Outcome
from gateways.vnpay.gateway import VnpayGateway
from ops.logs import logging_config
from orders.models import Order
from payments.processing import dispatch
from payments.processing.dispatch import perform, record_results
from tests.factories import OrderFactory, TransactionFactory, begin

CARD = "4111 1111 1111 1111"
SECRETS = {
    "card": CARD,
    "card without spaces": CARD.replace(" ", ""),
    "stripe key": "sk_live_CANARY0123456789abcdef",
    "webhook secret": "whsec_CANARY0123456789abcdef",
    "bearer": "CANARYtoken0123456789",
    "password": "CANARY-hunter2",
}
TEXT_WITH_SECRETS = (
    f"card {CARD} or {SECRETS['card without spaces']}, key {SECRETS['stripe key']},"
    f" {SECRETS['webhook secret']}, Authorization: Bearer {SECRETS['bearer']}"
)


class Lines:
    """What was logged since the test began."""

    def __init__(self, stream: StringIO) -> None:
        self._stream = stream

    @property
    def text(self) -> str:
        """All of it."""
        return self._stream.getvalue()

    def all(self) -> list[dict[str, Any]]:
        """Each line as the object that it is."""
        return [json.loads(line) for line in self.text.splitlines()]

    def one(self, event: str) -> dict[str, Any]:
        """The only line that says ``event``."""
        (line,) = (line for line in self.all() if line["event"] == event)
        return line


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Production's own way of writing lines, into a string."""
    config = logging_config(level="INFO", as_json=True)
    made = logging.config.DictConfigurator(config).configure_formatter(config["formatters"]["line"])
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(made)
    logging.getLogger().addHandler(handler)
    yield Lines(stream)
    logging.getLogger().removeHandler(handler)


def crash(request: HttpRequest) -> HttpResponse:
    """A view with a bug that knows too much."""
    raise RuntimeError(TEXT_WITH_SECRETS)


def suspect(request: HttpRequest) -> HttpResponse:
    """A view that refuses a request and repeats what was in it."""
    raise SuspiciousOperation(TEXT_WITH_SECRETS)


urlpatterns = [path("crash", crash), path("suspect", suspect)]
handler400 = "api.errors.bad_request"
handler500 = "api.errors.crashed"


def secrets_in(text: str) -> list[str]:
    """The kinds of secrets that stand in ``text``."""
    return [kind for kind, secret in SECRETS.items() if secret in text]


class TestALine:
    def test_is_one_json_object_with_time_level_logger_and_fields(self, lines: Lines) -> None:
        logging.getLogger("payments.example").info("something_happened", extra={"count": 3})
        line = lines.one("something_happened")
        assert line["level"] == "info"
        assert line["logger"] == "payments.example"
        assert line["count"] == 3
        assert line["timestamp"].endswith("Z")

    def test_masks_what_its_words_and_fields_hold(self, lines: Lines) -> None:
        extra = {
            "password": SECRETS["password"],
            "headers": {"Authorization": f"Bearer {SECRETS['bearer']}", "note": TEXT_WITH_SECRETS},
            "email": "linh.nguyen@example.com",
        }
        logging.getLogger("payments.example").warning("%s", TEXT_WITH_SECRETS, extra=extra)
        assert secrets_in(lines.text) == []
        assert "linh.nguyen" not in lines.text
        assert "l***@example.com" in lines.text

    def test_masks_an_exception_and_what_caused_it(self, lines: Lines) -> None:
        try:
            _fail_twice()
        except RuntimeError:
            logging.getLogger("payments.example").exception("it_broke")
        line = lines.one("it_broke")
        assert "RuntimeError: on top" in line["exception"]
        assert "ValueError: invalid literal" in line["exception"]
        assert secrets_in(lines.text) == []

    def test_stays_a_line_whatever_is_in_it(self, lines: Lines) -> None:
        logging.getLogger("payments.example").info('first\n{"event": "forged"}\r\n')
        assert len(lines.all()) == 1


def _fail_twice() -> None:
    try:
        int(TEXT_WITH_SECRETS)
    except ValueError as error:
        raise RuntimeError("on top") from error


@pytest.mark.django_db(transaction=True)
@pytest.mark.urls(__name__)
class TestALineOfTheWeb:
    @pytest.mark.parametrize("where", ["/crash", "/suspect"])
    def test_names_the_request_and_hides_its_secrets(
        self, client: Client, lines: Lines, where: str
    ) -> None:
        client.raise_request_exception = False
        answer = client.get(where, headers={"X-Request-Id": "a-request-of-this-test"})
        assert answer.status_code in {400, 500}
        assert answer.headers["X-Request-Id"] == "a-request-of-this-test"
        assert lines.all() != []
        assert {line["request_id"] for line in lines.all()} == {"a-request-of-this-test"}
        assert secrets_in(lines.text + answer.content.decode()) == []

    def test_tells_where_it_crashed(self, client: Client, lines: Lines) -> None:
        client.raise_request_exception = False
        client.get("/crash")
        (line,) = (line for line in lines.all() if line["level"] == "error")
        assert "test_logs.py" in line["exception"]
        assert line["actor"] == "system"


@pytest.mark.django_db(transaction=True)
class TestALineOfTheWorker:
    def test_names_the_payment_whose_call_crashed(
        self, lines: Lines, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def crash(self: VnpayGateway, operation: Operation) -> Outcome:
            raise RuntimeError(TEXT_WITH_SECRETS)

        monkeypatch.setattr(VnpayGateway, "perform", crash)
        payment = TransactionFactory.create()
        perform(begin(payment))
        assert lines.one("adapter_failed")["transaction"] == str(payment.pk)
        assert secrets_in(lines.text) == []

    def test_names_the_payment_whose_answer_could_not_be_applied(
        self, lines: Lines, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(evidence: object) -> None:
            raise RuntimeError(TEXT_WITH_SECRETS)

        payment = TransactionFactory.create()
        job = begin(payment)
        outcome = perform(job)
        monkeypatch.setattr(dispatch, "apply_outcomes", refuse)
        record_results(results=[(job, outcome)])
        assert lines.one("outcome_not_applied")["transaction"] == str(payment.pk)
        assert secrets_in(lines.text) == []


@pytest.mark.django_db(transaction=True)
class TestARowThatPostgresqlQuotes:
    def test_stays_out_of_the_traceback(self, lines: Lines) -> None:
        order = OrderFactory.create(email="linh.canary@example.com")
        try:
            Order.objects.filter(pk=order.pk).update(amount_paid=order.total + 1)
        except IntegrityError:
            logging.getLogger("anything").exception("not_stored")
        assert "order_paid" in lines.one("not_stored")["exception"]
        assert "linh.canary" not in lines.text
