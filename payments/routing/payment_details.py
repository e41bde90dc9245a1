"""A payment as its gateway needs to see it."""

from django.conf import settings

from gateways.base import Gateway
from gateways.operation import CaptureMethod, PaymentDetails
from orders.links import pay_url
from orders.models import Order
from payments.models import Transaction


def build_payment_details(payment: Transaction, order: Order, adapter: Gateway) -> PaymentDetails:
    """Everything an adapter may know of ``payment``; only the gateway's own ids change later."""
    return PaymentDetails(
        reference=payment.reference,
        money=payment.money,
        order_number=str(order.number),
        description=f"{settings.SHOP_NAME} {order.number}",
        method=payment.method,
        capture=CaptureMethod(payment.capture),
        return_url=f"{pay_url(order)}/return/{payment.reference}",
        cancel_url=f"{pay_url(order)}/return/{payment.reference}",
        webhook_url=webhook_url(adapter),
        customer_ip=payment.customer_ip,
        customer_email=order.customer_email,
        locale=payment.locale,
        created_at=payment.created_at,
        expires_at=payment.expires_at,
        has_token=bool(payment.payment_token),
        channel=payment.channel,
        psp_reference=payment.psp_reference,
        psp_data=payment.psp_data,
    )


def webhook_url(adapter: Gateway) -> str:
    """The address to which the gateway sends its webhooks."""
    return f"{settings.BASE_URL}/webhooks/{adapter.name}"
