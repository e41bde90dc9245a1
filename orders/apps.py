"""App configuration."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """Catalogue and orders."""

    name = "orders"
