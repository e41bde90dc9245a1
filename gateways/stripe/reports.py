"""What Stripe tells when we ask for more than one payment: balance, payouts and disputes."""

from collections.abc import Iterator
from datetime import datetime
from functools import reduce
from operator import add
from typing import Final

from gateways.http import TransportError
from gateways.operation import Json
from gateways.outcome import OutcomeKind
from gateways.settlement import Movement, Payout, RecordKind, ReportUnavailable, SettlementRecord
from gateways.stripe import mapping, objects, settlement
from gateways.stripe.client import Client
from gateways.webhook import Notice
from money.money import MoneyError

_OK: Final = 200
_LIMIT_MAX: Final = 100
# A hundred thousand objects: far more than a day, or a payout, of a shop that this is for.
_PAGES_MAX: Final = 1000
_EVENT_TYPE: Final = "dispute"
# A limit, a lock or their own trouble, which pass.
_PASSING: Final = frozenset({mapping.CONFLICT, mapping.LIMITED, *range(500, 600)})


class Reports:
    """Questions that move nothing. All of them raise ReportUnavailable."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def records(self, start: datetime, end: datetime) -> Iterator[SettlementRecord]:
        """Balance transactions that were made from ``start`` up to ``end``."""
        params: Json = {"created": _window(start, end), "expand": ["data.source"]}
        return map(settlement.read_transaction, self._items("balance_transactions.list", params))

    def payouts(self, start: datetime, end: datetime) -> Iterator[Payout]:
        """Payouts that were made from ``start`` up to ``end``."""
        params: Json = {"created": _window(start, end)}
        return map(settlement.read_payout, self._items("payouts.list", params))

    def payout_records(self, psp_reference: str) -> Iterator[SettlementRecord]:
        """The balance transactions of an automatic payout, which must add up to it."""
        content = self._read("payouts.retrieve", psp_reference)
        settlement.require_reconciled(content)
        payout = settlement.read_payout(content)
        params: Json = {"payout": psp_reference, "expand": ["data.source"]}
        records = [
            settlement.read_transaction(item, payout=psp_reference)
            for item in self._items("balance_transactions.list", params)
        ]
        _require_sum(records, payout)
        return iter(records)

    def disputes(self, payment_intent: str) -> tuple[Notice, ...]:
        """Every dispute about a payment."""
        listed = self._items("disputes.list", {"payment_intent": payment_intent})
        notices = tuple(_notice(dispute) for dispute in listed)
        if {notice.payment_psp_reference for notice in notices} - {payment_intent}:
            raise ReportUnavailable("Stripe answered about another payment")
        return notices

    def dispute(self, psp_reference: str) -> Notice:
        """One dispute."""
        return _notice(self._read("disputes.retrieve", psp_reference))

    def _read(self, call: str, object_id: str) -> Json:
        content = self._ask(call, object_id, {})
        if settlement.read_id(content) != object_id:
            raise ReportUnavailable("Stripe answered about another object")
        return content

    def _items(self, call: str, params: Json) -> Iterator[Json]:
        """Every object of a list, page by page."""
        cursor: Json = {}
        for _ in range(_PAGES_MAX):
            page = self._ask(call, "", {**params, **cursor, "limit": _LIMIT_MAX})
            items = _objects(page)
            yield from items
            if page.get("has_more") is False:
                return
            if page.get("has_more") is not True or not items:
                raise ReportUnavailable(f"Stripe's answer to {call} is no page of a list")
            cursor = {"starting_after": settlement.read_id(items[-1])}
        raise ReportUnavailable(f"{call} has more pages than we turn: take a shorter time")

    def _ask(self, call: str, key: str, params: Json) -> Json:
        try:
            answer = self._client.call(call, key, params, "")
        except TransportError as error:
            raise ReportUnavailable("Stripe could not be reached", can_retry=True) from error
        content = answer.json()
        if answer.status == _OK and content is not None:
            return content
        code = objects.text(objects.member(content or {}, "error"), "code")
        passes = answer.status in _PASSING or code in {
            mapping.PAYOUT_NOT_READY,
            *mapping.LIMIT_CODES,
        }
        passes = passes or answer.status == _OK
        raise ReportUnavailable(f"Stripe answered {answer.status} {code}".strip(), can_retry=passes)


def _window(start: datetime, end: datetime) -> Json:
    return {"gte": int(start.timestamp()), "lt": int(end.timestamp())}


def _objects(page: Json) -> list[Json]:
    data = page.get("data")
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
        raise ReportUnavailable("Stripe's answer is no list of objects")
    return data


def _require_sum(records: list[SettlementRecord], payout: Payout) -> None:
    """All that a payout carries, less the payout itself, is the payout: else rows are missing."""
    own = RecordKind.PAYOUT
    nets = [
        record.net
        for record in records
        if record.kind is not own or record.psp_reference != payout.psp_reference
    ]
    try:
        total = reduce(add, nets, Movement(0, payout.amount.currency))
    except MoneyError as error:
        raise ReportUnavailable(f"{payout.psp_reference} does not add up: {error}") from error
    if total != payout.amount:
        raise ReportUnavailable(
            f"the records of {payout.psp_reference} add up to {total.minor},"
            f" and it paid {payout.amount.minor} {payout.amount.currency}"
        )


def _notice(dispute: Json) -> Notice:
    kind = _dispute_kind(dispute)
    outcome = objects.read_dispute(dispute, kind)
    # The same state gives the same event, however often it is asked for.
    event_id = f"{settlement.read_id(dispute)}:{objects.text(dispute, 'status')}:{kind}"
    return objects.dispute_notice(event_id, _EVENT_TYPE, dispute, outcome)


def _dispute_kind(dispute: Json) -> OutcomeKind:
    """SUCCEEDED: the money is gone. DECLINED: it stays, or came back. PENDING: still open."""
    status = objects.text(dispute, "status")
    if status in mapping.INQUIRIES:
        return OutcomeKind.PENDING
    if status in mapping.OPEN_DISPUTES:
        is_gone = settlement.read_balance(dispute) < 0
        return OutcomeKind.SUCCEEDED if is_gone else OutcomeKind.PENDING
    return mapping.DISPUTE_ENDS.get(status, OutcomeKind.UNKNOWN)
