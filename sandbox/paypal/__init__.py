"""PayPal: tokens, Orders v2, Payments v2, webhooks, disputes and transaction search."""
