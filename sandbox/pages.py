"""The look of every page: plain HTML without scripts, one style sheet, small screens first."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

STYLE = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")

BANNERS: Mapping[str, str] = {
    "en": "Sandbox – no real money",
    "vi": "Môi trường thử nghiệm – không có tiền thật",
}


def html_page(
    title: str,
    body: str,
    *,
    lang: str = "en",
    wide: bool = False,
    status: int = 200,
    brand: str = "",
) -> web.Response:
    """A whole page. ``body`` is HTML that is already escaped; nothing may be stored or framed.

    ``brand`` is whose page is emulated: its name stands on top, in a colour of its own.
    """
    sign = f'<p class="brand brand-{slug(brand)}">{escape(brand)}</p>' if brand else ""
    text = (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="robots" content="noindex">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>"
        f'<p class="banner" role="note">{BANNERS[lang]}</p>'
        f"<main{' class=wide' if wide else ''}>{sign}"
        f"<h1>{escape(title)}</h1>{body}</main></body></html>"
    )
    return web.Response(
        text=text,
        status=status,
        content_type="text/html",
        charset="utf-8",
        headers={
            "Cache-Control": "no-store",
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": (
                "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
            ),
        },
    )


def slug(name: str) -> str:
    """A name as a CSS class."""
    return "-".join(name.lower().split())


def facts(rows: Mapping[str, str]) -> str:
    """A list of labelled facts; both sides are escaped here."""
    return (
        "<dl>"
        + "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in rows.items())
        + "</dl>"
    )


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table that scrolls by itself on small screens; the cells are HTML already."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>'


def choice(name: str, options: Mapping[str, str], checked: str, legend: str) -> str:
    """Radio buttons: value → label."""
    radios = "".join(
        f'<label><input type="radio" name="{escape(name)}" value="{escape(value)}"'
        f"{' checked' if value == checked else ''}> {escape(label)}</label>"
        for value, label in options.items()
    )
    return f"<fieldset><legend>{escape(legend)}</legend>{radios}</fieldset>"


def button(name: str, value: str, label: str, *, quiet: bool = False) -> str:
    """A submit button that says what it decides."""
    style = ' class="quiet"' if quiet else ""
    attributes = f'type="submit" name="{escape(name)}" value="{escape(value)}"'
    return f"<button{style} {attributes}>{escape(label)}</button>"


def field(name: str, label: str, value: str = "", *, kind: str = "text", **attributes: str) -> str:
    """A labelled input. Browsers are asked to fill in nothing: what is real has no place here."""
    more = "".join(f' {key}="{escape(text)}"' for key, text in attributes.items())
    return (
        f'<p class="field"><label for="{name}">{escape(label)}</label>'
        f'<input type="{kind}" id="{name}" name="{name}" value="{escape(value)}"'
        f' autocomplete="off"{more}></p>'
    )


def tools(title: str, body: str) -> str:
    """What the real page does not have: set apart, for trying things out."""
    return f'<section class="tools"><h2>{escape(title)}</h2>{body}</section>'


def spaced(number: str) -> str:
    """A card's number in groups of four."""
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4))


def alert(text: str) -> str:
    """An error message that screen readers announce."""
    return f'<div class="error" role="alert">{escape(text)}</div>' if text else ""


# Where whole units have no fraction, as the pages print amounts.
EXPONENTS: Mapping[str, int] = {
    "VND": 0, "JPY": 0, "KRW": 0, "CLP": 0, "ISK": 0, "UGX": 0, "XAF": 0, "XOF": 0, "XPF": 0,
    "BHD": 3, "JOD": 3, "KWD": 3, "OMR": 3, "TND": 3,
}  # fmt: skip


def money(amount: int, currency: str, lang: str = "en") -> str:
    """An amount of ISO minor units for people: ``1,234.50 USD``, in Vietnamese ``1.234,50 USD``."""
    exponent = EXPONENTS.get(currency.upper(), 2)
    whole, part = divmod(amount, 10**exponent)
    fraction = f".{part:0{exponent}d}" if exponent else ""
    text = f"{whole:,}{fraction}"
    if lang == "vi":
        text = text.translate(str.maketrans(",.", ".,"))
    return f"{text} {currency.upper()}"
