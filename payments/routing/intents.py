"""A transaction as its gateway sees it."""

from django.conf import settings

from gateways.base import Gateway
from gateways.operation import Intent
from orders.links import pay_url
from orders.models import Order
from payments.models import Transaction


def intent_of(row: Transaction, order: Order, adapter: Gateway) -> Intent:
    """Everything an adapter may know of ``row``; frozen but for what the gateway told us."""
    return Intent(
        reference=row.reference,
        money=row.money,
        order_number=str(order.number),
        description=f"{settings.SHOP_NAME} {order.number}",
        method=row.method,
        capture=row.capture,
        return_url=f"{pay_url(order)}/return/{row.reference}",
        cancel_url=f"{pay_url(order)}/return/{row.reference}",
        webhook_url=webhook_url(adapter),
        customer_ip=row.customer_ip,
        customer_email=order.customer_email,
        locale=row.locale,
        created_at=row.created_at,
        expires_at=row.expires_at,
        has_token=bool(row.payment_token),
        channel=row.channel,
        psp_reference=row.psp_reference,
        psp_data=row.psp_data,
    )


def webhook_url(adapter: Gateway) -> str:
    """Where ``adapter``'s gateway reports to us."""
    return f"{settings.BASE_URL}/webhooks/{adapter.name}"
