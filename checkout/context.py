"""What every template may know."""

from email.utils import parseaddr

from django.conf import settings
from django.http import HttpRequest


def shop(request: HttpRequest) -> dict[str, object]:
    """The shop's name and address, and whether this is the demo on one machine."""
    return {
        "shop_name": settings.SHOP_NAME,
        "shop_email": parseaddr(settings.DEFAULT_FROM_EMAIL)[1],
        "is_demo": bool(settings.SANDBOX_URL),
    }
