"""App configuration."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Messages to people."""

    name = "notifications"
