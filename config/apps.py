"""App configuration, and the admin site with our own home page."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ConfigConfig(AppConfig):
    """The wiring: commands that need every app."""

    name = "config"


class PaymentsAdminConfig(AdminConfig):
    """Django's admin, with ``config.admin_site`` as the site."""

    default_site = "config.admin_site.PaymentsAdminSite"
