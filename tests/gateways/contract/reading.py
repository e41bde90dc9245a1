"""Webhooks as an adapter reads them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from gateways.base import Gateway
from gateways.webhook import Delivery, Notice, WebhookRefused

# A month and a half: longer than any retry of a gateway, and than any tolerance of a clock.
LATER: Final = timedelta(days=45)


def facts_of(notices: Iterable[Notice]) -> dict[str, set[str]]:
    """What each event says, by its number: the same event must always say the same."""
    said: dict[str, set[str]] = {}
    for notice in notices:
        said.setdefault(notice.event_id, set()).add(repr(_stable(notice)))
    return said


def is_believed(gateway: Gateway, delivery: Delivery) -> bool:
    """Whether anything is read out of ``delivery``."""
    try:
        return bool(gateway.read_webhook(delivery))
    except WebhookRefused:
        return False


def _stable(notice: Notice) -> Notice:
    outcome = notice.outcome and replace(notice.outcome, exchange=None)
    return replace(notice, outcome=outcome)
