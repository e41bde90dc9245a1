"""Can this installation take money? One line for each thing that must be right for it.

Everything here is harmless: the gateways are asked about a payment that does not exist, and our
own webhook address gets one unsigned call, which it must refuse. (It keeps that call among the
refused ones, so a run shows there.)
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Final

from django.apps import apps
from django.conf import settings
from django.utils import timezone

from durable.models import DueRow
from gateways.base import Gateway
from gateways.http import HttpClient, TransportError
from gateways.outcome import Outcome, OutcomeKind
from gateways.webhook import Delivery, WebhookRefused, WebhookResult
from ops import health
from payments.models import Transaction
from payments.routing import health_probe, registry
from payments.routing.payment_details import webhook_url
from payments.states import LIVE

# Stripe bears five minutes in a webhook, and VNPAY's links count their life by our clock.
CLOCK_SKEW_MAX: Final = timedelta(seconds=30)
# Due work that waits for longer than this has no worker or no sweep.
WAIT_MAX: Final = timedelta(minutes=2)
_TIMEOUT_S: Final = 10.0
_NOT_FOUND: Final = 404


class Verdict(StrEnum):
    """How a check ended."""

    OK = "ok"
    FAILED = "FAILED"
    SKIPPED = "skipped"  # it cannot be tried here, and that is no fault


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    subject: str
    check: str
    verdict: Verdict
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.verdict:<8} {self.subject:<10} {self.check:<12} {self.detail}".rstrip()


def examine() -> Iterator[Finding]:
    """Every check, one after the other, as it ends."""
    for name, check in health.CHECKS.items():
        word = health.attempt(check)
        yield _finding("system", name, passed=word == "ok", detail="" if word == "ok" else word)
    yield from _work()
    yield _followed()
    for name, entry in settings.GATEWAYS.items():
        if entry["enabled"]:
            yield from _gateway(name)
        else:
            yield Finding(name, "settings", Verdict.SKIPPED, "no credentials: it is not offered")


def _finding(subject: str, check: str, *, passed: bool, detail: str) -> Finding:
    return Finding(subject, check, Verdict.OK if passed else Verdict.FAILED, detail)


def _work() -> Iterator[Finding]:
    """Whether due work is being done: a sweep and a worker are alive, or nothing is due."""
    now = timezone.now()
    try:
        oldest = [model.due().values_list("due_at", flat=True).first() for model in _due_models()]
    except Exception as error:  # noqa: BLE001 - whatever it is, the line says so
        yield _finding("system", "work", passed=False, detail=type(error).__name__)
        return
    waits = max((now - due_at for due_at in oldest if due_at), default=timedelta())
    detail = f"the oldest due row has waited {waits.total_seconds():.0f} s"
    yield _finding("system", "work", passed=waits <= WAIT_MAX, detail=detail)


def _followed() -> Finding:
    """Whether every payment that is open is at a gateway that can still be asked about it."""
    configured = [name for name, entry in settings.GATEWAYS.items() if entry["enabled"]]
    left = Transaction.objects.filter(status__in=LIVE).exclude(gateway__in=configured)
    try:
        names = sorted(set(left.values_list("gateway", flat=True)))
    except Exception as error:  # noqa: BLE001 - whatever it is, the line says so
        return _finding("system", "followed", passed=False, detail=type(error).__name__)
    word = f"open payments at {', '.join(names)}, which has no keys here: put them back"
    return _finding("system", "followed", passed=not names, detail=word if names else "")


def _due_models() -> list[type[DueRow]]:
    return [model for model in apps.get_models() if issubclass(model, DueRow)]


def _gateway(name: str) -> Iterator[Finding]:
    try:
        adapter = registry.build_gateway(name)
    except ValueError as error:
        yield _finding(name, "settings", passed=False, detail=str(error))
        return
    assert adapter is not None
    mode = "real money" if adapter.live else "test mode"
    yield _finding(
        name, "settings", passed=True, detail=f"{adapter.account or 'one account'}, {mode}"
    )
    outcome = health_probe.probe(adapter)
    yield _credentials(name, outcome)
    if named := adapter.named_account():
        yield _account(adapter, named)
    yield _clock(name, outcome)
    yield _signature(adapter)
    yield _webhook(adapter)


def _credentials(name: str, outcome: Outcome) -> Finding:
    exchange = outcome.exchange
    status = exchange.http_status if exchange else None
    if exchange is None or status is None:
        detail = str(exchange.response.get("trouble", "")) if exchange else ""
        return _finding(name, "credentials", passed=False, detail=f"no answer {detail}".strip())
    if outcome.kind is OutcomeKind.UNPAID or status == _NOT_FOUND:
        return _finding(name, "credentials", passed=True, detail="accepted")
    word = "refused" if outcome.kind is OutcomeKind.NOT_DONE else "the answer says nothing"
    code = f", code {outcome.failure.gateway_code}" if outcome.failure else ""
    return _finding(name, "credentials", passed=False, detail=f"{word}: HTTP {status}{code}")


def _account(adapter: Gateway, named: str) -> Finding:
    """Whether the keys are those of the account in the settings, if it stands there."""
    passed = adapter.account in {"", named}
    variable = f"{adapter.name.upper()}_ACCOUNT"
    advice = "" if adapter.account == named else f": set {variable}={named}"
    word = "the keys are of" if passed else f"{adapter.account} is set, and the keys are of"
    return _finding(adapter.name, "account", passed=passed, detail=f"{word} {named}{advice}")


def _clock(name: str, outcome: Outcome) -> Finding:
    gateway_time = outcome.exchange.answered_at if outcome.exchange else None
    if gateway_time is None:
        return Finding(name, "clock", Verdict.SKIPPED, "the gateway did not tell its time")
    skew = abs(timezone.now() - gateway_time)
    detail = f"{skew.total_seconds():.0f} s apart"
    return _finding(name, "clock", passed=skew <= CLOCK_SKEW_MAX, detail=detail)


def _signature(adapter: Gateway) -> Finding:
    sample = adapter.sample_webhook(timezone.now())
    if sample is None:
        return Finding(adapter.name, "signature", Verdict.SKIPPED, "only the gateway can sign")
    altered = replace(
        sample,
        body=sample.body.replace(b"sample", b"simple"),
        query_string=sample.query_string.replace("sample", "simple"),
    )
    passed = _is_believed(adapter, sample) and not _is_believed(adapter, altered)
    detail = "a signed sample is believed" if passed else "our own sample is not told from a forged"
    return _finding(adapter.name, "signature", passed=passed, detail=detail)


def _is_believed(adapter: Gateway, delivery: Delivery) -> bool:
    try:
        return bool(adapter.read_webhook(delivery))
    except WebhookRefused:
        return False


def _webhook(adapter: Gateway) -> Finding:
    """Whether our public address leads to us, from here: an unsigned call is refused by us."""
    url = webhook_url(adapter)
    http = HttpClient(connect_timeout_s=_TIMEOUT_S, read_timeout_s=_TIMEOUT_S)
    body = b"{}" if adapter.webhook_method == "POST" else None
    try:
        answer = http.send(adapter.webhook_method, url, headers={}, body=body)
    except TransportError as trouble:
        return _finding(adapter.name, "webhook", passed=False, detail=f"{url}: {trouble.reason}")
    expected = adapter.answer_webhook(WebhookResult.REFUSED)
    passed = (answer.status, answer.body.decode(errors="replace")) == (
        expected.status,
        expected.body,
    )
    detail = url if passed else f"{url} answers HTTP {answer.status}, and not as this system does"
    return _finding(adapter.name, "webhook", passed=passed, detail=detail)
