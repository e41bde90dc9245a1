"""System checks of what moves money: gateways, methods, and where shoppers may be sent.

Each names the environment variable to change. ``manage.py check`` runs them, and with
``--deploy`` those that only matter where real money is.
"""

import re
from collections.abc import Sequence
from itertools import combinations
from typing import Any, Final
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's
from django.utils.module_loading import import_string

from gateways.base import Gateway

_OPTION: Final = re.compile(r"\b(?:secret|[a-z]+(?:_[a-z]+)+)\b")

Apps = Sequence[AppConfig] | None


@register(Tags.compatibility)
def gateways_are_configured(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """payments.E001: a gateway has keys, and its adapter cannot work with its settings."""
    errors = ((name, _configuration_error(name)) for name in _enabled())
    return [
        Error(
            f"{name} is not configured: {error}.",
            hint=f"See {', '.join(_variables(name, error))}.",
            id="payments.E001",
        )
        for name, error in errors
        if error
    ]


@register(Tags.compatibility)
def methods_have_gateways(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """payments.E002: METHOD_GATEWAYS names a gateway that does not exist or lacks the method."""
    problems = (
        _method_problem(method, name)
        for method, names in settings.METHOD_GATEWAYS.items()
        for name in names
    )
    return [
        Error(text, hint="See METHOD_GATEWAYS.", id="payments.E002") for text in problems if text
    ]


@register(Tags.security)
def origins_are_origins(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """payments.E003: RETURN_ORIGINS or GATEWAY_ORIGINS holds something that is no origin."""
    return [
        Error(
            f"{variable} holds {origin!r}, which is not an origin such as https://shop.example.com.",
            hint="Scheme, host and, if need be, port; no path, no slash at the end.",
            id="payments.E003",
        )
        for variable in ("RETURN_ORIGINS", "GATEWAY_ORIGINS")
        for origin in getattr(settings, variable)
        if not _is_origin(origin)
    ]


@register(Tags.security, deploy=True)
def gateways_are_real(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """payments.E004: a gateway is spoken to without TLS. payments.W001: its keys are for tests."""
    found: list[CheckMessage] = []
    for name in _enabled():
        found += [_plain_address(name, option) for option in _plain_addresses(name)]
        if not _configuration_error(name) and not _build(name).live:
            found.append(_test_keys(name))
    return found


@register(Tags.compatibility)
def accounts_are_told_apart(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """payments.E005: two gateways are one account. payments.E006: an account has no id."""
    built = {name: _build(name) for name in _enabled() if not _configuration_error(name)}
    errors: list[CheckMessage] = []
    for (one, first), (other, second) in combinations(built.items(), 2):
        if type(first) is not type(second):
            continue
        nameless = [name for name in (one, other) if not built[name].account]
        errors += [_nameless(name) for name in nameless if _nameless(name) not in errors]
        if not nameless and (first.account, first.live) == (second.account, second.live):
            errors.append(_same_account(one, other, first.account))
    return errors


@register(Tags.security, deploy=True)
def something_can_be_paid(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """payments.W002: no method has a gateway with keys, so nobody can pay."""
    if set().union(*settings.METHOD_GATEWAYS.values()) & set(_enabled()):
        return []
    hint = "Set the keys of a gateway, and METHOD_GATEWAYS if a method is to use another one."
    return [Warning("No way of paying is offered.", hint=hint, id="payments.W002")]


@register
def queues_have_threads(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """payments.W004: a worker has fewer threads than queues, so slow gateways starve others."""
    # One more sweeps.
    needed = len(settings.DUE_QUEUES) + 1
    if needed <= settings.CELERY_WORKER_CONCURRENCY:
        return []
    hint = f"Unset WORKER_THREADS, or set it to {needed} or more."
    text = f"A worker has {settings.CELERY_WORKER_CONCURRENCY} threads for {needed} kinds of work."
    return [Warning(text, hint=hint, id="payments.W004")]


@register(Tags.security, deploy=True)
def returns_use_tls(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """payments.W003: shoppers may be sent back to a page without TLS."""
    return [
        Warning(
            f"RETURN_ORIGINS allows {origin}, which has no TLS.",
            hint="Name the https:// origin of the shop.",
            id="payments.W003",
        )
        for origin in settings.RETURN_ORIGINS
        if not origin.startswith("https://")
    ]


def _enabled() -> list[str]:
    return [name for name, entry in settings.GATEWAYS.items() if entry["enabled"]]


def _adapter(name: str) -> type[Gateway]:
    adapter: type[Gateway] = import_string(settings.GATEWAYS[name]["adapter"])
    return adapter


def _build(name: str) -> Gateway:
    return _adapter(name).from_settings(settings.GATEWAYS[name]["options"])


def _configuration_error(name: str) -> str:
    try:
        _build(name)
    except ValueError as error:
        return str(error)
    return ""


def _variables(gateway: str, message: str) -> list[str]:
    """The variables behind the options that an adapter's message names; all of them if none."""
    prefix = f"{gateway.upper()}_"
    options = sorted(set(_OPTION.findall(message)))
    return [prefix + option.upper() for option in options] or [f"{prefix}*"]


def _method_problem(method: str, gateway: str) -> str:
    if gateway not in settings.GATEWAYS:
        return f"METHOD_GATEWAYS gives {method} to {gateway!r}, and there is no such gateway."
    if method not in _adapter(gateway).capabilities.methods:
        return f"METHOD_GATEWAYS gives {method} to {gateway}, which does not offer it."
    return ""


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
        is_whole = f"{parts.scheme}://{parts.netloc}" == text and parts.port != 0
    except ValueError:
        return False
    return (
        is_whole
        and parts.scheme in {"http", "https"}
        and bool(parts.hostname)
        and not parts.username
    )


def _plain_addresses(name: str) -> list[str]:
    options: dict[str, str] = settings.GATEWAYS[name]["options"]
    return [
        option
        for option, value in options.items()
        if option.endswith(("_base", "_url")) and not value.startswith("https://")
    ]


def _plain_address(gateway: str, option: str) -> Error:
    variable = f"{gateway}_{option}".upper()
    return Error(
        f"{variable} has no TLS: anybody on the way could read and change payments.",
        hint=f"Unset {variable} to use the gateway's own address.",
        id="payments.E004",
    )


def _same_account(one: str, other: str, account: str) -> Error:
    return Error(
        f"{one} and {other} are one account, {account}: none could stand in for the other.",
        hint=f"Set the variables that start with {other.upper()}_ to an account of its own, or"
        f" take {other} out of GATEWAY_ACCOUNTS.",
        id="payments.E005",
    )


def _nameless(gateway: str) -> Error:
    variable = f"{gateway.upper()}_ACCOUNT"
    return Error(
        f"{gateway} is one of several accounts at its gateway, and its keys do not say which.",
        hint=f"Set {variable} to the account's id.",
        id="payments.E006",
    )


def _test_keys(gateway: str) -> Warning:
    return Warning(
        f"{gateway} has test keys: orders are paid, and no money comes.",
        hint=f"Put the live keys into the variables that start with {gateway.upper()}_.",
        id="payments.W001",
    )
