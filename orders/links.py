"""The signed link that pays an order, and shows its receipt, without an account.

The signature is an HMAC with the site's secret key, so that the link cannot be guessed from an
order's id. It does not end: it is the customer's receipt too.
"""

from typing import Final
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer

from durable.ids import parse_public_id, public_id
from orders.models import Order

_signer: Final = Signer(sep=".", salt="orders.pay_link")


def link_token(order_id: UUID) -> str:
    """The part of the link that proves it: the order's id and its signature."""
    return _signer.sign(public_id("ord", order_id))


def read_link_token(token: str) -> UUID | None:
    """The order that ``token`` opens, or None when it is not one of ours."""
    try:
        return parse_public_id("ord", _signer.unsign(token))
    except BadSignature:
        return None


def pay_url(order: Order) -> str:
    """The absolute link that pays ``order``, built from the canonical base URL."""
    return f"{settings.BASE_URL}/checkout/{link_token(order.id)}"
