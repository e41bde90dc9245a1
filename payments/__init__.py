"""Moves money: transactions, gateways, webhooks, the ledger, cases and the checkout pages."""
