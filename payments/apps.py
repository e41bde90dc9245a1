"""App configuration."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """Moves money."""

    name = "payments"
