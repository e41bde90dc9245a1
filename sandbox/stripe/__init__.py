"""Stripe, API version 2026-10-28.endive:

PaymentIntents, Checkout Sessions, refunds, disputes, events.
"""
