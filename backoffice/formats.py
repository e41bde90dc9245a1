"""How values look on the staff's pages."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime


def clock(at: datetime | None) -> str:
    """A moment on the reader's clock, to the second; "" for none."""
    return localtime(at).strftime("%Y-%m-%d %H:%M:%S") if at else ""


def moment(name: str) -> Callable[[Any], str]:
    """A column that shows the time ``name`` as ``clock`` does."""

    def column(row: Any) -> str:
        return clock(getattr(row, name))

    column.__name__ = name
    column.short_description = name.replace("_", " ")  # type: ignore[attr-defined]
    return column


def json_block(value: object) -> SafeString | str:
    """JSON on lines of its own; "" for nothing."""
    if value in (None, "", {}, []):
        return ""
    shown = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True, default=str)
    return format_html('<pre class="data">{}</pre>', shown)


def text_block(value: str) -> SafeString | str:
    """Text as it is, line for line."""
    return format_html('<pre class="data">{}</pre>', value) if value else ""


def admin_url(row: Model) -> str:
    """The address of the row's page."""
    meta = type(row)._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])


def link_to(row: Model | None, label: str = "") -> SafeString | str:
    """A link to the row's page, by its own name; a dash for no row."""
    if row is None:
        return "—"
    return format_html('<a href="{}">{}</a>', admin_url(row), label or str(row))


# The end of an id tells rows apart; its start is only the time.
ID_DIGITS_SHOWN: Final = 10


def shortened(key: str, before: str = "") -> SafeString | str:
    """The end of a long id, which is what fits into a list; all of it shows when pointed at."""
    if len(key) <= ID_DIGITS_SHOWN:
        return format_html("{} {}", before, key) if before else key
    return format_html(
        '{} <span class="mono" title="{}">…{}</span>', before, key, key[-ID_DIGITS_SHOWN:]
    )


def badge(word: str, tone: str = "") -> SafeString | str:
    """A status: its word in a colour. The word alone says it, the colour only helps."""
    return format_html('<span class="badge {}">{}</span>', tone, word) if word else ""


def rows_as(value: Any) -> list[tuple[str, object]]:
    """A flat mapping as pairs to show, without what is empty."""
    return [(name, item) for name, item in dict(value or {}).items() if item not in (None, "", {})]
