"""The look of every page: plain HTML without scripts, one style sheet, small screens first."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping

STYLE = """
*{box-sizing:border-box}body{margin:0;background:#f3f5f8;color:#17202c;font:16px/1.5 system-ui,sans-serif}
.banner{background:#7a3c00;color:#fff;text-align:center;padding:.4rem 1rem;font-weight:600}
main{max-width:30rem;margin:1rem auto;padding:1.25rem;background:#fff;border:1px solid #d5dbe3;border-radius:.5rem}
main.wide{max-width:75rem}h1{font-size:1.3rem;margin:0 0 .75rem}h2{font-size:1.1rem;margin:1.5rem 0 .5rem}
dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem;margin:0 0 1rem}dt{color:#4b5766}
dd{margin:0;text-align:right;overflow-wrap:anywhere}
fieldset{border:1px solid #d5dbe3;border-radius:.4rem;margin:0 0 1rem;padding:.5rem 1rem}
label{display:block;padding:.35rem 0;min-height:2rem}.inline label{display:inline-block;margin-right:1rem}
input[type=text],input[type=number],select{font:inherit;padding:.4rem;border:1px solid #76818f;border-radius:.3rem;max-width:100%}
button{display:block;width:100%;min-height:2.75rem;margin:.5rem 0;padding:.5rem 1rem;font:inherit;font-weight:600;
border:1px solid #0b4f9e;border-radius:.4rem;background:#0b5cb8;color:#fff;cursor:pointer}
button.quiet{background:#fff;color:#0b4f9e}button.small{display:inline-block;width:auto;min-height:2rem;margin:0 .2rem}
.error{border:2px solid #a3161c;border-radius:.4rem;color:#8d1218;padding:.5rem 1rem;margin:0 0 1rem}
table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{text-align:left;padding:.3rem .5rem;border-bottom:1px solid #e3e7ec;
overflow-wrap:anywhere;vertical-align:top}.scroll{overflow-x:auto}code{font-size:.9em;overflow-wrap:anywhere}
a:focus,button:focus,input:focus,select:focus{outline:3px solid #e08a00;outline-offset:2px}
"""

BANNERS: Mapping[str, str] = {
    "en": "Sandbox – no real money",
    "vi": "Môi trường thử nghiệm – không có tiền thật",
}


def html_page(
    title: str, body: str, *, lang: str = "en", wide: bool = False, status: int = 200
) -> web.Response:
    """A whole page. ``body`` is HTML that is already escaped; nothing may be stored or framed."""
    text = (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="robots" content="noindex">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>"
        f'<p class="banner" role="note" style="margin:0">{BANNERS[lang]}</p>'
        f"<main{' class=wide' if wide else ''}><h1>{escape(title)}</h1>{body}</main></body></html>"
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


def facts(rows: Mapping[str, str]) -> str:
    """A list of labelled facts; both sides are escaped here."""
    return (
        "<dl>"
        + "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in rows.items())
        + "</dl>"
    )


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
    return f'<button{style} type="submit" name="{escape(name)}" value="{escape(value)}">{escape(label)}</button>'


def alert(text: str) -> str:
    """An error message that screen readers announce."""
    return f'<div class="error" role="alert">{escape(text)}</div>' if text else ""


# Where whole units have no fraction, as the pages print amounts.
EXPONENTS: Mapping[str, int] = {
    "VND": 0, "JPY": 0, "KRW": 0, "CLP": 0, "ISK": 0, "UGX": 0, "XAF": 0, "XOF": 0, "XPF": 0,
    "BHD": 3, "JOD": 3, "KWD": 3, "OMR": 3, "TND": 3,
}  # fmt: skip


def money(amount: int, currency: str) -> str:
    """An amount of ISO minor units for people: ``1,234.50 USD``."""
    exponent = EXPONENTS.get(currency.upper(), 2)
    whole, part = divmod(amount, 10**exponent)
    fraction = f".{part:0{exponent}d}" if exponent else ""
    return f"{whole:,}{fraction} {currency.upper()}"
