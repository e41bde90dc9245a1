"""Stripe: cards by token (PaymentIntent), and Stripe's own page (Checkout Session)."""
