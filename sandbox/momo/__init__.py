"""MoMo AIO v2: create, pay page, IPN, query, refund and confirm."""
