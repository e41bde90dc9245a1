"""How values look on the staff's pages."""

import json
from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString


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
    meta = type(row)._meta  # noqa: SLF001 - Django's public name for it
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])


def link_to(row: Model | None, label: str = "") -> SafeString | str:
    """A link to the row's page, by its own name; a dash for no row."""
    if row is None:
        return "—"
    return format_html('<a href="{}">{}</a>', admin_url(row), label or str(row))


def badge(word: str, tone: str = "") -> SafeString | str:
    """A status: its word in a colour. The word alone says it, the colour only helps."""
    return format_html('<span class="badge {}">{}</span>', tone, word) if word else ""


def rows_as(value: Any) -> list[tuple[str, object]]:
    """A flat mapping as pairs to show, without what is empty."""
    return [(name, item) for name, item in dict(value or {}).items() if item not in (None, "", {})]
