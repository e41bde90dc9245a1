"""Filters and tags of the pages for people."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import segno
from babel.dates import format_datetime
from django import template
from django.conf import settings
from django.utils.functional import Promise
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from checkout import wording
from payments import reasons

register = template.Library()

# Longer than any gateway's code, and far from what no QR code can hold.
_QR_TEXT_MAX: Final = 1000
_QR_SCALE: Final = 4
_QR_BORDER: Final = 4  # The quiet zone that ISO/IEC 18004 asks for, in modules.


@register.filter
def shop_time(moment: datetime) -> str:
    """``22 Nov 2026, 21:52`` by the shop's clock."""
    return format_datetime(
        moment,
        "d MMM y, HH:mm",
        tzinfo=ZoneInfo(settings.SHOP_TIME_ZONE),
        locale=get_language() or "en",
    )


@register.filter
def clock_time(moment: datetime) -> str:
    """``21:52 (GMT+07:00)`` by the shop's clock: a shopper may be in another zone."""
    zone = ZoneInfo(settings.SHOP_TIME_ZONE)
    return format_datetime(moment, "HH:mm (ZZZZ)", tzinfo=zone, locale=get_language() or "en")


@register.filter
def method_words(method: str) -> wording.MethodWords:
    """Name, hint and drawing of a method."""
    return wording.method_words(method)


@register.filter
def channel_words(channel: str) -> str | Promise:
    """The name of a channel of a method."""
    return wording.channel_words(channel)


@register.filter
def gateway_name(gateway: str) -> str:
    """A gateway as people write it."""
    return wording.gateway_name(gateway)


@register.filter
def failure_text(code: str) -> str | Promise:
    """Why a payment did not work, in one calm sentence."""
    return reasons.failure_text(code)


@register.filter
def order_status(status: str) -> str | Promise:
    """An order's status as people say it."""
    return wording.ORDER_STATUSES.get(status, status)


@register.filter
def qr_code(text: str) -> SafeString:
    """``text`` as a QR code: inline SVG without any style, as our CSP wants it.

    Nothing for a text that no phone could read: the page's link leads to the same place.
    """
    if len(text) > _QR_TEXT_MAX:
        return SafeString("")
    drawing = segno.make(text, micro=False).svg_inline(
        scale=_QR_SCALE, border=_QR_BORDER, light="#fff", omitsize=True
    )
    return mark_safe(drawing)  # noqa: S308 - segno draws modules; the text is not in its output
