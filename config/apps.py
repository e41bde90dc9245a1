"""App configuration, and the admin site with our own home page."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class ConfigConfig(AppConfig):
    """The app of the commands that need every other app."""

    name = "config"
    default = True

    def ready(self) -> None:
        """Register the system checks."""
        from config import checks  # noqa: F401, PLC0415 - registers itself; needs the apps


class PaymentsAdminConfig(admin_apps.AdminConfig):
    """Django's admin, with ``config.admin_site`` as the site."""

    default = False
    default_site = "config.admin_site.PaymentsAdminSite"
