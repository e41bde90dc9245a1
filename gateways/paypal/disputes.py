"""Disputes that we ask PayPal about, told as its webhooks tell them."""

import re
from typing import Final
from urllib.parse import urlencode

from gateways.operation import Json
from gateways.paypal import webhooks
from gateways.paypal.order import child, read_text
from gateways.settlement import ReportUnavailable
from gateways.webhook import Notice

_PATH: Final = "/v1/customer/disputes"
_EVENT_TYPE: Final = "dispute"
_ID: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,99}")
# A capture has one dispute, rarely a second one; more than a page is none of ours.
_PAGE_SIZE: Final = 50


def list_path(capture_id: str) -> str:
    """Where the disputes about a capture are listed."""
    query = {"disputed_transaction_id": capture_id, "page_size": _PAGE_SIZE}
    return f"{_PATH}?{urlencode(query)}"


def path(dispute_id: str) -> str:
    """Where one dispute is. Raises ReportUnavailable for what is no id."""
    if not _ID.fullmatch(dispute_id):
        raise ReportUnavailable(f"no id of a dispute: {dispute_id!r}")
    return f"{_PATH}/{dispute_id}"


def read_ids(listed: Json) -> tuple[str, ...]:
    """The ids in a list. Raises ReportUnavailable if it is none, or goes on."""
    items, links = listed.get("items", []), listed.get("links", [])
    if not isinstance(items, list) or not isinstance(links, list):
        raise ReportUnavailable("PayPal's answer is no list of disputes")
    if any(isinstance(link, dict) and link.get("rel") == "next" for link in links):
        raise ReportUnavailable("more disputes about one capture than a page holds")
    return tuple(read_text(item, "dispute_id") if isinstance(item, dict) else "" for item in items)


def read(dispute: Json, dispute_id: str) -> Notice:
    """A dispute as a notice; the same state gives the same event. Raises ReportUnavailable."""
    if read_text(dispute, "dispute_id") != dispute_id:
        raise ReportUnavailable("PayPal answered about another dispute")
    decided = read_text(child(dispute, "dispute_outcome"), "outcome_code")
    event_id = ":".join((dispute_id, read_text(dispute, "status"), decided))
    return webhooks.read_dispute(event_id, _EVENT_TYPE, dispute)
