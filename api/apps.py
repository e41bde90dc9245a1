"""App configuration."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """What all JSON endpoints share."""

    name = "api"

    def ready(self) -> None:
        """Register what the OpenAPI document knows of tokens and fields."""
        from api import openapi  # noqa: F401, PLC0415 - registers itself; needs the apps
