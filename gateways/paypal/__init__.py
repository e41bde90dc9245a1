"""PayPal: Orders v2 with the shopper's approval on PayPal's page, and Payments v2."""
