"""Documents generated from the code, so that they always agree with it.

``manage.py write_docs`` writes them; the suite compares them with what is committed.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings
from django.utils.module_loading import import_string
from drf_spectacular.generators import SchemaGenerator

from api.database_rules import INTRODUCTION, describe_tables
from api.error_codes import FIELD_CODES, error_codes
from audit.actions import AuditAction
from gateways.base import Gateway
from gateways.capabilities import Capabilities, SettlementSource
from money.money import EXPONENTS
from payments.states import LEGAL_MOVES, LIVE

ENV_EXAMPLE: Final = Path(settings.BASE_DIR) / ".env.example"
_SETTINGS_INTRODUCTION: Final = (
    "All settings come from the environment. *Fill in* means that production has no default:"
    " without it nothing starts, or, for the keys of a gateway, the gateway is not offered."
    " `DJANGO_ENV=local` and `test` have stand-ins."
)
_FEATURES_INTRODUCTION: Final = (
    "What each gateway can do, as its adapter declares it. The API and the pages offer only this,"
    " and say why not otherwise."
)
_STATES_INTRODUCTION: Final = (
    "What may follow what. PostgreSQL enforces the same table by a trigger. `FAILED` moves only"
    " for verified late money; `SUCCESS` never moves: refunds and disputes are rows of their own."
)
_ACTIONS_INTRODUCTION: Final = (
    "Every event of the audit trail has one of these actions. The values never change: they stand"
    " in a table that only grows."
)
_NOTICE: Final = "<!-- Written by `manage.py write_docs`. Change the code, not this page. -->"
# A variable with a default is commented out, one that must be set is not.
_VARIABLE: Final = re.compile(r"(?P<optional>#?)(?P<name>[A-Z][A-Z0-9_]*)=(?P<value>.*)")
_SECTION: Final = re.compile(r"# --- (?P<title>.+) ---")
_FEATURES: Final = (
    ("manual_capture", "hold now, capture later"),
    ("partial_capture", "capture a part"),
    ("void", "release a hold"),
    ("refund", "refund"),
    ("partial_refund", "refund a part"),
    ("close", "end an unpaid page"),
    ("qr", "QR code"),
    ("takes_token", "pay by token"),
    ("disputes", "ask for disputes"),
    ("payouts", "payouts, with what each carries"),
)
_SETTLEMENT: Final = {
    SettlementSource.API: "by API",
    SettlementSource.FILE: "from a daily file",
    None: "–",
}


def documents() -> dict[str, Callable[[], str]]:
    """Path from the project's folder → what writes the document."""
    return {
        "docs/openapi.json": openapi_text,
        "docs/settings.md": settings_page,
        "docs/error-codes.md": error_codes_page,
        "docs/gateway-features.md": gateway_features_page,
        "docs/states.md": states_page,
        "docs/triggers.md": triggers_page,
        "docs/audit-actions.md": audit_actions_page,
    }


def openapi_text() -> str:
    """The OpenAPI document as JSON."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    document = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable of ``.env.example``: what it means, and its default or an example."""

    name: str
    section: str
    meaning: str
    value: str
    is_required: bool


def read_settings(text: str) -> Iterator[Setting]:
    """The settings in the text of ``.env.example``; a comment explains what follows it."""
    section, comment = "", ""
    for line in text.splitlines():
        if title := _SECTION.fullmatch(line):
            section, comment = title["title"], ""
        elif match := _VARIABLE.fullmatch(line):
            required = not match["optional"]
            yield Setting(match["name"], section, comment, match["value"], required)
            comment = ""
        else:
            comment = f"{comment} {line.removeprefix('#').strip()}".strip() if line else ""


def settings_page() -> str:
    """``docs/settings.md``."""
    lines = [
        _SETTINGS_INTRODUCTION,
    ]
    section = ""
    for setting in read_settings(ENV_EXAMPLE.read_text(encoding="utf-8")):
        if setting.section != section:
            section = setting.section
            lines += ["", f"## {section}", "", *_table_head("Variable", "Default", "Meaning")]
        lines.append(_row(f"`{setting.name}`", _default(setting), setting.meaning))
    return _page("Settings", lines)


def _default(setting: Setting) -> str:
    if setting.is_required:
        return f"fill in: `{setting.value}`" if setting.value else "fill in"
    return f"`{setting.value}`" if setting.value else ""


def error_codes_page() -> str:
    """``docs/error-codes.md``."""
    lines = [
        "Every error of the API is an RFC 9457 problem document with one of these codes.",
        "",
        *_table_head("Status", "Code", "Meaning", "Member"),
        *(
            _row(str(one.status), f"`{one.code}`", one.meaning, one.field and f"`{one.field}`")
            for one in error_codes()
        ),
        "",
        "## Inside of `errors`",
        "",
        *_table_head("Code", "Meaning"),
        *(_row(f"`{code}`", meaning) for code, meaning in FIELD_CODES.items()),
    ]
    return _page("Error codes", lines)


def gateway_features_page() -> str:
    """``docs/gateway-features.md``."""
    gateways: dict[str, type[Gateway]] = {
        name: import_string(entry["adapter"]) for name, entry in settings.PSPS.items()
    }
    able = {name: gateway.capabilities for name, gateway in gateways.items()}
    lines = [
        _FEATURES_INTRODUCTION,
        "",
        *_table_head("", *able),
        _row("methods", *(", ".join(sorted(one.methods)) for one in able.values())),
        _row("channels", *(_channels(one) for one in able.values())),
        *(
            _row(title, *("yes" if getattr(one, feature) else "–" for one in able.values()))
            for feature, title in _FEATURES
        ),
        _row("settlement records", *(_SETTLEMENT[one.settlement] for one in able.values())),
        _row("link lives", *(_minutes(gateway) for gateway in gateways.values())),
        "",
        "## Currencies and amounts",
        "",
        "Smallest and largest amount of one payment; a channel may have a narrower range.",
        "",
        *_table_head("Currency", *able),
        *_limits(able),
    ]
    return _page("Gateway features", lines)


def _channels(capabilities: Capabilities) -> str:
    """``vnpay: qr, bank, [A-Z0-9]{3,20}``: the channels, and the pattern of further codes."""
    patterns = {
        method: f"`{codes.pattern}`" for method, codes in capabilities.channel_codes.items()
    }
    listed = (
        f"{method}: {', '.join([*names, *filter(None, [patterns.get(method)])])}"
        for method, names in capabilities.channels.items()
    )
    return "; ".join(listed) or "–"


def _minutes(gateway: type[Gateway]) -> str:
    return f"{gateway.link_lifetime.total_seconds() / 60:.0f} min"


def _limits(able: Mapping[str, Capabilities]) -> Iterator[str]:
    for currency in sorted({currency for one in able.values() for currency in one.limits}):
        yield _row(currency, *(_range(one, currency) for one in able.values()))


def _range(capabilities: Capabilities, currency: str) -> str:
    if currency not in capabilities.limits:
        return "–"
    smallest, largest = (_amount(units, currency) for units in capabilities.limits[currency])
    return f"{smallest} to {largest}"


def _amount(units: int, currency: str) -> str:
    exponent = EXPONENTS[currency]
    whole, part = divmod(units, 10**exponent)
    return f"{whole:,}" + (f".{part:0{exponent}d}" if exponent else "")


def states_page() -> str:
    """``docs/states.md``."""
    moves = [
        f"    {before} --> {after}"
        for before, followers in LEGAL_MOVES.items()
        for after in sorted(followers)
    ]
    ends = [status for status in LEGAL_MOVES if status not in LIVE]
    lines = [
        _STATES_INTRODUCTION,
        "",
        "```mermaid",
        "stateDiagram-v2",
        "    [*] --> PENDING",
        *moves,
        *(f"    {status} --> [*]" for status in ends),
        "```",
    ]
    return _page("States of a transaction", lines)


def triggers_page() -> str:
    """``docs/triggers.md``."""
    return _page("What PostgreSQL enforces", [INTRODUCTION, "", *describe_tables()]).rstrip() + "\n"


def audit_actions_page() -> str:
    """``docs/audit-actions.md``."""
    rows = [_row(f"`{action.value}`", str(action.label)) for action in AuditAction]
    lines = [_ACTIONS_INTRODUCTION, "", *_table_head("action", "meaning"), *rows]
    return _page("Actions of the audit trail", lines)


def _page(title: str, lines: Iterable[str]) -> str:
    return "\n".join([f"# {title}", "", _NOTICE, "", *lines]) + "\n"


def _table_head(*titles: str) -> tuple[str, str]:
    return _row(*titles), _row(*("---" for _ in titles))


def _row(*cells: str) -> str:
    # A bar inside of a cell would end it, also between backticks.
    return f"| {' | '.join(map(_without_bars, cells))} |"


def _without_bars(text: str) -> str:
    return text.replace("|", "\\|")
