"""The page at ``/``: the same switches as the control interface, and the journal, for people."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from aiohttp import web

from sandbox.clock import iso
from sandbox.gateway import ControlError
from sandbox.pages import alert, facts, html_page, money, table
from sandbox.rules import CORRUPTIONS, FAULTS_AFTER, FAULTS_BEFORE, ORDERS, RuleError
from sandbox.settings import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandbox.gateway import Gateway, Guide, SandboxContext
    from sandbox.journal import Json

ROWS_SHOWN = 50
WAITING = ("open", "pending")
RULE_HEADS = ("Gateway", "Reference", "Payments left", "Decision", "Webhooks", "API fault")
CHARGE_HEADS = (
    "Created", "Gateway", "Reference", "Number there", "Status", "Amount", "Captured", "Refunded",
    "Decide",
)  # fmt: skip


class ControlPage:
    """Shows and changes what the control interface shows and changes."""

    def __init__(self, context: SandboxContext, gateways: Mapping[str, Gateway]) -> None:
        """``gateways`` are those emulated, by name."""
        self._context = context
        self._gateways = gateways

    def routes(self) -> Iterable[web.RouteDef]:
        """The page, and the one address its forms go to."""
        return [web.get("/", self._show), web.post("/", self._change)]

    async def _show(self, request: web.Request, error: str = "") -> web.Response:
        if not self._allowed(request):
            raise web.HTTPForbidden(text="Only this machine may steer the sandbox.")
        clock = self._context.clock
        parts = [
            alert(error),
            facts({"Its clock": iso(clock.now()), "Ahead by": f"{clock.shift_s:.0f} s"}),
            self._switches(),
            self._charges(),
            *(guide_html(gateway.guide()) for gateway in self._gateways.values()),
        ]
        return html_page(
            "Payment gateways on this machine",
            "".join(parts),
            wide=True,
            status=400 if error else 200,
        )

    async def _change(self, request: web.Request) -> web.Response:
        if not self._allowed(request) or not same_origin(request):
            raise web.HTTPForbidden(text="Only the sandbox's own page may do this.")
        form = {key: str(value) for key, value in (await request.post()).items()}
        try:
            self._do(form)
        except (RuleError, ControlError) as error:
            return await self._show(request, str(error))
        await self._context.journal.durable()
        raise web.HTTPSeeOther("/")

    def _do(self, form: Mapping[str, str]) -> None:
        action = form.get("action")
        if action == "behaviour":
            self._context.rules.replace(behaviour_from(form), self._gateways)
        elif action == "reset":
            self._context.rules.reset()
            self._context.clock.reset()
        elif action == "hour":
            self._context.clock.advance(3600)
        elif action == "decide" and form.get("gateway") in self._gateways:
            self._gateways[form["gateway"]].decide(form["reference"], form["decision"])
        else:
            raise ControlError("Unknown action.")

    def _allowed(self, request: web.Request) -> bool:
        return self._context.settings.allow_non_loopback or is_loopback(request.remote or "")

    def _switches(self) -> str:
        rows = [rule_cells(rule) for rule in self._context.rules.active()]
        return (
            "<h2>Behaviour</h2>"
            f"<p>Without a rule: <code>{escape(self._context.rules.default.decision)}</code>.</p>"
            + table(RULE_HEADS, rows)
            + behaviour_form([*self._gateways, "*"])
        )

    def _charges(self) -> str:
        rows = list(self._context.journal.table("charges").values())[-ROWS_SHOWN:][::-1]
        return (
            f"<h2>The journal (latest {ROWS_SHOWN})</h2>"
            + table(CHARGE_HEADS, [charge_cells(row) for row in rows])
            + '<p><a href="/control/book">The whole journal as JSON</a></p>'
        )


def same_origin(request: web.Request) -> bool:
    """Whether a form came from our own page; browsers that say where it came from must say us."""
    origin = request.headers.get("Origin")
    return origin in {None, f"{request.scheme}://{request.host}"}


def behaviour_from(form: Mapping[str, str]) -> Json:
    """The form's fields in the shape of the control interface. Raises RuleError."""
    try:
        return {
            "gateway": form.get("gateway"),
            "reference": form.get("reference") or None,
            "times": int(form["times"]) if form.get("times") else None,
            "decision": form.get("decision"),
            "webhook": {
                "copies": int(form.get("copies") or 1),
                "delay_ms": int(form.get("delay_ms") or 0),
                "order": form.get("order"),
                "drop": "drop" in form,
                "corrupt": form.get("corrupt") or None,
            },
            "api": {"fault": form.get("fault") or None},
        }
    except ValueError as error:
        raise RuleError(f"A number was expected: {error}") from error


def behaviour_form(gateways: Iterable[str]) -> str:
    """The form that replaces one rule."""
    return (
        '<form method="post" class="inline"><fieldset><legend>Replace a rule</legend>'
        f"<label>Gateway {select('gateway', gateways)}</label>"
        '<label>Reference <input type="text" name="reference" placeholder="all"></label>'
        '<label>Payments <input type="number" name="times" min="1" placeholder="always"></label>'
        '<label>Decision <input type="text" name="decision" value="ask" list="decisions"></label>'
        '<datalist id="decisions"><option>ask<option>approve<option>decline:insufficient_funds'
        "<option>cancel<option>abandon<option>pending</datalist>"
        '<label>Webhook copies <input type="number" name="copies" min="1" value="1"></label>'
        '<label>Delay in ms <input type="number" name="delay_ms" min="0" value="0"></label>'
        f"<label>Order {select('order', ORDERS)}</label>"
        '<label><input type="checkbox" name="drop"> drop webhooks</label>'
        f"<label>Corrupt {select('corrupt', ('', *CORRUPTIONS))}</label>"
        f"<label>API fault {select('fault', ('', *FAULTS_BEFORE, *FAULTS_AFTER))}</label>"
        '<button class="small" name="action" value="behaviour">Set</button></fieldset></form>'
        '<form method="post">'
        '<button class="small" name="action" value="hour">Clock one hour on</button>'
        '<button class="small" name="action" value="reset">Rules and clock back to the start'
        "</button></form>"
    )


def select(name: str, options: Iterable[str]) -> str:
    """A list to choose from."""
    inside = "".join(
        f'<option value="{escape(o)}">{escape(o or "nothing")}</option>' for o in options
    )
    return f'<select name="{name}">{inside}</select>'


def rule_cells(rule: Json) -> list[str]:
    """One active rule."""
    webhook = ", ".join(f"{name} {value}" for name, value in rule["webhook"].items())
    cells = (
        rule["gateway"],
        rule["reference"] or "all",
        rule["times"] or "always",
        rule["decision"],
        webhook,
        rule["api"]["fault"] or "none",
    )
    return [escape(str(cell)) for cell in cells]


def guide_html(guide: Guide) -> str:
    """One gateway's magic words."""
    rows = [(f"<code>{escape(word)}</code>", escape(effect)) for word, effect in guide.magic]
    codes = ", ".join(f"<code>{escape(code)}</code>" for code in guide.declines)
    return (
        f"<h2>{escape(guide.title)}</h2><p>{escape(guide.pays_at)}</p>"
        + table(("Magic", "Effect"), rows)
        + f"<p>Decline codes: {codes}</p>"
    )


def charge_cells(row: Json) -> list[str]:
    """One row of the journal, with buttons while it waits for a person."""
    amounts = [money(row[name], row["currency"]) for name in ("amount", "captured", "refunded")]
    names = ("created_at", "gateway", "reference", "psp_reference", "status")
    decide = decide_form(row) if row["status"] in WAITING and row["reference"] else ""
    return [*(escape(cell) for cell in [*(row[name] for name in names), *amounts]), decide]


def decide_form(row: Json) -> str:
    """Buttons that decide a payment in the shopper's place."""
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in (
            ("action", "decide"), ("gateway", row["gateway"]), ("reference", row["reference"]),
        )
    )  # fmt: skip
    buttons = "".join(
        f'<button class="small" name="decision" value="{decision}">{label}</button>'
        for decision, label in (
            ("approve", "pay"),
            ("decline:insufficient_funds", "decline"),
            ("cancel", "cancel"),
        )
    )
    return f'<form method="post">{hidden}{buttons}</form>'
