"""``{{ amount|money:currency }}`` in templates."""

from django import template

from money.formatting import format_money
from money.money import Money

register = template.Library()


@register.filter
def money(amount: int, currency: str) -> str:
    """An amount in minor units as people write it in the active language."""
    return format_money(Money(int(amount), currency))
