"""VNPAY 2.1.0: signed redirect, pay page, IPN, querydr and refund."""
