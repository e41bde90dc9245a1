"""What the first page of the admin shows of payments; the admin site itself knows no app."""

from django import template
from django.template import Context
from django.utils import timezone

from payments.admin import home

register = template.Library()


@register.simple_tag(takes_context=True)
def payments_overview(context: Context) -> home.Overview | None:
    """Today's figures; None for staff who may see nothing of payments."""
    user = context["request"].user
    return home.overview(timezone.now()) if user.has_module_perms("payments") else None
