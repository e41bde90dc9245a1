"""What every template may know."""

from django.conf import settings
from django.http import HttpRequest


def shop(request: HttpRequest) -> dict[str, object]:
    """The shop's name and whether this is the demo on one machine."""
    return {"shop_name": settings.SHOP_NAME, "is_demo": bool(settings.SANDBOX_URL)}
