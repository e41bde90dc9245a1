"""App configuration."""

from django.apps import AppConfig


class DurableConfig(AppConfig):
    """Rows that are due."""

    name = "durable"
