"""App configuration."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """Moves money."""

    name = "payments"

    def ready(self) -> None:
        """Register the system checks."""
        from payments import checks  # noqa: F401, PLC0415 - registers itself; needs the apps
