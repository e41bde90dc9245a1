"""How one word finds payments: by every number that anybody may read out over the phone."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import Q, QuerySet

from backoffice.query import email, read_id
from backoffice.read_only import FOUND_MAX, Finder
from payments.models import GatewayCall, Transaction, WebhookEvent
from payments.routing.registry import gateways
from payments.states import WITH_MONEY

Keys = Iterable[UUID | None]


def by_own_id(word: str) -> Keys:
    """``pay_…``, our reference at the gateway, or the id as a UUID."""
    found = read_id(word, "pay")
    return Transaction.objects.filter(pk=found).values_list("pk", flat=True) if found else []


def by_order_id(word: str) -> Keys:
    """``ord_…``: every payment of the order."""
    found = read_id(word, "ord")
    return _newest(Transaction.objects.filter(order_id=found)) if found else []


def by_order_number(word: str) -> Keys:
    """The number that the customer was told."""
    digits = word.removeprefix("#")
    if not (digits.isascii() and digits.isdigit()) or int(digits) >= 2**63:
        return []
    return _newest(Transaction.objects.filter(order__number=int(digits)))


def by_email(word: str) -> Keys:
    """The address of the order."""
    if "@" not in word:
        return []
    return _newest(Transaction.objects.filter(email("order__customer_email")(":", word)))


def by_psp_reference(word: str) -> Keys:
    """The gateway's own number."""
    own = Transaction.objects.filter(psp_reference=word).values_list("pk", flat=True)
    return list(own[:FOUND_MAX])


def by_further_number(word: str) -> Keys:
    """Another number of theirs, of a payment that took or holds money: a capture, a charge."""
    names = {name for adapter in gateways().values() for name in adapter.secondary_reference_keys}
    if not names:
        return []
    held = Q.create([Q(psp_data__contains={name: word}) for name in sorted(names)], Q.OR)
    # Such a number is of one payment. A limit would make PostgreSQL expect many, and read them all.
    return Transaction.objects.filter(held, status__in=WITH_MONEY).values_list("pk", flat=True)


def by_operation(word: str) -> Keys:
    """The reference or the id of one operation at the gateway, or the id of a webhook."""
    found = read_id(word)
    if found is None:
        return []
    calls = GatewayCall.objects.filter(reference=found.hex).values_list("transaction", flat=True)
    call = GatewayCall.objects.filter(pk=found).values_list("transaction", flat=True)
    event = WebhookEvent.objects.filter(pk=found, transaction__isnull=False)
    return [*calls[:FOUND_MAX], *call, *event.values_list("transaction", flat=True)]


PAYMENT_FINDERS: Sequence[Finder] = (
    by_own_id, by_order_id, by_order_number, by_email, by_psp_reference, by_further_number,
    by_operation,
)  # fmt: skip


def payments_named(word: str) -> list[UUID]:
    """The payments that ``word`` names, for the pages of what belongs to them."""
    return [key for finder in PAYMENT_FINDERS for key in finder(word) if isinstance(key, UUID)]


def _newest(rows: QuerySet[Transaction]) -> Keys:
    return rows.order_by("-created_at").values_list("pk", flat=True)[:FOUND_MAX]
