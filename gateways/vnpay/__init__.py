"""VNPAY, version 2.1.0: a signed payment link, querydr, refunds and the IPN."""
