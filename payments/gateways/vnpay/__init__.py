"""VNPAY, version 2.1.0: a signed payment link, querydr, refunds and the IPN."""

from payments.gateways.vnpay.config import Config
from payments.gateways.vnpay.gateway import Gateway

__all__ = ["Config", "Gateway"]
