"""The endpoints: which path is which operation, and what each operation does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sandbox.stripe.errors import no_such, not_reconciled
from sandbox.stripe.lists import Lists, event_object, in_range, read_types
from sandbox.stripe.objects import member
from sandbox.stripe.params import merged

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.journal import Json
    from sandbox.stripe.balance import Balance
    from sandbox.stripe.customers import Customers
    from sandbox.stripe.disputes import Disputes
    from sandbox.stripe.hooks import Hooks
    from sandbox.stripe.intents import Intents
    from sandbox.stripe.refunds import Refunds
    from sandbox.stripe.reports import Reports
    from sandbox.stripe.sessions import Sessions
    from sandbox.stripe.store import Store

# The search path stands before the one with an id, which would swallow it.
PATHS: Final = (
    ("POST", "/v1/payment_intents", "create_intent"),
    ("GET", "/v1/payment_intents", "list_intents"),
    ("GET", "/v1/payment_intents/search", "search_intents"),
    ("GET", "/v1/payment_intents/{id}", "get_intent"),
    ("POST", "/v1/payment_intents/{id}", "update_intent"),
    ("POST", "/v1/payment_intents/{id}/confirm", "confirm_intent"),
    ("POST", "/v1/payment_intents/{id}/capture", "capture_intent"),
    ("POST", "/v1/payment_intents/{id}/cancel", "cancel_intent"),
    ("POST", "/v1/checkout/sessions", "create_session"),
    ("GET", "/v1/checkout/sessions", "list_sessions"),
    ("GET", "/v1/checkout/sessions/{id}", "get_session"),
    ("POST", "/v1/checkout/sessions/{id}", "update_session"),
    ("POST", "/v1/checkout/sessions/{id}/expire", "expire_session"),
    ("GET", "/v1/checkout/sessions/{id}/line_items", "line_items"),
    ("GET", "/v1/charges", "list_charges"),
    ("GET", "/v1/charges/search", "search_charges"),
    ("GET", "/v1/charges/{id}", "get_charge"),
    ("POST", "/v1/charges/{id}", "update_charge"),
    ("POST", "/v1/refunds", "create_refund"),
    ("GET", "/v1/refunds", "list_refunds"),
    ("GET", "/v1/refunds/{id}", "get_refund"),
    ("POST", "/v1/refunds/{id}", "update_refund"),
    ("POST", "/v1/refunds/{id}/cancel", "cancel_refund"),
    ("GET", "/v1/disputes", "list_disputes"),
    ("GET", "/v1/disputes/{id}", "get_dispute"),
    ("POST", "/v1/disputes/{id}", "update_dispute"),
    ("POST", "/v1/disputes/{id}/close", "close_dispute"),
    ("GET", "/v1/account", "account"),
    ("GET", "/v1/balance", "balance"),
    ("GET", "/v1/balance_transactions", "list_transactions"),
    ("GET", "/v1/balance_transactions/{id}", "get_transaction"),
    ("GET", "/v1/payouts", "list_payouts"),
    ("GET", "/v1/payouts/{id}", "get_payout"),
    ("POST", "/v1/reporting/report_runs", "create_report"),
    ("GET", "/v1/reporting/report_runs", "list_reports"),
    ("GET", "/v1/reporting/report_runs/{id}", "get_report"),
    ("GET", "/v1/reporting/report_types", "report_types"),
    ("GET", "/v1/reporting/report_types/{id}", "report_type"),
    ("POST", "/v1/customers", "create_customer"),
    ("GET", "/v1/customers", "list_customers"),
    ("GET", "/v1/customers/{id}", "get_customer"),
    ("POST", "/v1/customers/{id}", "update_customer"),
    ("DELETE", "/v1/customers/{id}", "delete_customer"),
    ("GET", "/v1/customers/{id}/payment_methods", "list_methods_of_customer"),
    ("POST", "/v1/payment_methods", "create_method"),
    ("GET", "/v1/payment_methods", "list_methods"),
    ("GET", "/v1/payment_methods/{id}", "get_method"),
    ("POST", "/v1/payment_methods/{id}", "update_method"),
    ("POST", "/v1/payment_methods/{id}/attach", "attach_method"),
    ("POST", "/v1/payment_methods/{id}/detach", "detach_method"),
    ("POST", "/v1/webhook_endpoints", "create_endpoint"),
    ("GET", "/v1/webhook_endpoints", "list_endpoints"),
    ("GET", "/v1/webhook_endpoints/{id}", "get_endpoint"),
    ("POST", "/v1/webhook_endpoints/{id}", "update_endpoint"),
    ("DELETE", "/v1/webhook_endpoints/{id}", "delete_endpoint"),
    ("GET", "/v1/events", "list_events"),
    ("GET", "/v1/events/{id}", "get_event"),
    ("GET", "/v1/confirmation_tokens/{id}", "get_confirmation_token"),
    ("POST", "/v1/test_helpers/confirmation_tokens", "create_confirmation_token"),
)

# What most lists can be narrowed by, if their objects have it.
FILTERS: Final = (
    "payment_intent", "charge", "status", "customer", "customer_account", "destination",
    "payment_link", "subscription", "transfer_group", "email", "type", "allow_redisplay",
)  # fmt: skip

# The table that a path's id belongs to, by the last word of the operation.
TABLES: Final = {
    "intent": "payment_intents",
    "session": "sessions",
    "charge": "charges",
    "refund": "refunds",
    "dispute": "disputes",
    "transaction": "transactions",
    "payout": "payouts",
    "report": "reports",
    "customer": "customers",
    "method": "payment_methods",
    "endpoint": "webhook_endpoints",
}


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What the endpoints call upon."""

    intents: Intents
    sessions: Sessions
    refunds: Refunds
    disputes: Disputes
    balance: Balance
    reports: Reports
    customers: Customers
    hooks: Hooks


class Endpoints:
    """Runs one operation and gives the object or list that answers it."""

    def __init__(self, store: Store, parts: Parts) -> None:
        """Writes go to the parts; reads to the store."""
        intents, sessions, refunds = parts.intents, parts.sessions, parts.refunds
        disputes, balance, reports = parts.disputes, parts.balance, parts.reports
        customers, hooks = parts.customers, parts.hooks
        self._store = store
        self._lists = Lists(store)
        self._creates: dict[str, tuple[str, Callable[[Json], Json]]] = {
            "create_intent": ("payment_intents", intents.create),
            "create_session": ("sessions", sessions.create),
            "create_refund": ("refunds", refunds.create),
            "create_report": ("reports", reports.create),
            "create_customer": ("customers", customers.create),
            "create_method": ("payment_methods", customers.create_method),
        }
        self._changes: dict[str, Callable[[Json, Json], Json]] = {
            "update_intent": intents.update,
            "confirm_intent": intents.confirm,
            "capture_intent": intents.capture,
            "cancel_intent": intents.cancel,
            "update_session": sessions.update,
            "expire_session": lambda session, _: sessions.expire(session),
            "update_charge": self._update_charge,
            "update_refund": refunds.update,
            "cancel_refund": lambda refund, _: refunds.cancel(refund),
            "update_dispute": disputes.update,
            "close_dispute": lambda dispute, _: disputes.accept(dispute),
            "update_customer": customers.update,
            "update_method": customers.update_method,
            "detach_method": lambda method, _: customers.detach(method),
            "update_endpoint": hooks.update,
        }
        # What is no record that is simply shown, or changed and shown.
        self._others: dict[str, Callable[[str, Json], Json]] = {
            "account": lambda *_: account_object(store.account),
            "balance": lambda *_: balance.sums(),
            "report_types": lambda *_: reports.types(),
            "report_type": lambda type_id, _: reports.type(type_id),
            "search_intents": lambda _, params: self._lists.search("payment_intents", params),
            "search_charges": lambda _, params: self._lists.search("charges", params),
            "get_customer": lambda customer_id, _: customers.shown(customer_id),
            "delete_customer": lambda customer_id, _: customers.delete(customer_id),
            "list_methods_of_customer": self._methods_of,
            "get_method": lambda method_id, _: self._method(customers, method_id),
            "attach_method": lambda method_id, params: store.shown(
                "payment_methods", customers.attach(customers.method(method_id), params)
            ),
            "create_endpoint": lambda _, params: hooks.create(params),
            "delete_endpoint": lambda endpoint_id, _: hooks.delete(endpoint_id),
            "line_items": self._lists.line_items,
            "get_event": lambda event_id, _: self._event(event_id),
            "list_events": lambda _, params: self._list_events(params),
            "list_transactions": lambda _, params: self._list_transactions(params),
            "get_confirmation_token": lambda token_id, _: customers.token(token_id),
            "create_confirmation_token": lambda _, params: customers.create_token(params),
        }

    def run(self, operation: str, object_id: str, params: Json) -> Json:
        """The answer of one operation. Raises StripeError."""
        paths = params.pop("expand", [])
        answer = self._run(operation, object_id, params)
        return self._lists.expand(answer, paths) if paths else answer

    def _run(self, operation: str, object_id: str, params: Json) -> Json:
        if operation in self._others:
            return self._others[operation](object_id, params)
        if operation in self._creates:
            table, create = self._creates[operation]
            return self._store.shown(table, create(params))
        verb, _, noun = operation.partition("_")
        if verb == "list":
            return self._list(noun, params)
        table = TABLES[noun]
        record = self._store.get(table, object_id)
        if operation in self._changes:
            record = self._changes[operation](record, params)
        return self._store.shown(table, record)

    def _list(self, noun: str, params: Json) -> Json:
        table = TABLES[noun.removesuffix("s")]
        url = next(path for _, path, name in PATHS if name == f"list_{noun}")
        filters = {name: params[name] for name in FILTERS if name in params}
        arrives = in_range(params.get("arrival_date"))
        email = (params.get("customer_details") or {}).get("email")
        return self._lists.page(
            table,
            url,
            params,
            lambda r: (
                not r.get("deleted")
                and all(member(table, r, n) == v for n, v in filters.items())
                and arrives(r.get("arrival_date", 0))
                and email in {None, (r.get("customer_details") or {}).get("email")}
            ),
        )

    def _methods_of(self, customer_id: str, params: Json) -> Json:
        self._store.get("customers", customer_id)
        return self._list("methods", {**params, "customer": customer_id})

    def _method(self, customers: Customers, method_id: str) -> Json:
        """A payment method that was made here, or that a charge was paid with."""
        if method_id not in self._store.table("payment_methods"):
            for charge in self._store.table("charges").values():
                if charge["payment_method"] == method_id:
                    return self._lists.payment_method(charge)
        return self._store.shown("payment_methods", customers.method(method_id))

    def _update_charge(self, charge: Json, params: Json) -> Json:
        kept = ("description", "receipt_email", "shipping", "fraud_details", "transfer_group")
        charge.update({name: params[name] for name in kept if name in params})
        charge["metadata"] = merged(charge["metadata"], params.get("metadata"))
        self._store.put("charges", charge)
        return charge

    def _list_transactions(self, params: Json) -> Json:
        if "payout" in params:
            payout = self._store.get("payouts", params["payout"], "payout")
            if payout.get("reconciliation_status", "completed") != "completed":
                raise not_reconciled()
        names = {"payout": "_payout", "source": "source", "type": "type", "currency": "currency"}
        filters = {own: params[name] for name, own in names.items() if name in params}
        return self._lists.page(
            "transactions",
            "/v1/balance_transactions",
            params,
            lambda r: all(r.get(n) == v for n, v in filters.items()),
        )

    def _list_events(self, params: Json) -> Json:
        wanted, delivered = read_types(params), params.get("delivery_success")

        def fits(event: Json) -> bool:
            return wanted(event["type"]) and delivered in {None, self._delivered(event["id"])}

        return self._lists.page("events", "/v1/events", params, fits)

    def _delivered(self, event_id: str) -> bool:
        """Whether every endpoint that was to hear of an event has taken it."""
        log = self._store.context.journal.table("webhooks")
        made = (f"{event_id}.{endpoint}" for endpoint in self._store.table("webhook_endpoints"))
        sent = [log[f"stripe:{key}"] for key in (event_id, *made) if f"stripe:{key}" in log]
        return all(any(is_success(a) for a in each["attempts"]) for each in sent)

    def _event(self, event_id: str) -> Json:
        event = self._store.table("events").get(event_id)
        if event is None:
            raise no_such("event", event_id)
        return event_object(self._store, event)


def account_object(account_id: str) -> Json:
    """The account whose key this is."""
    return {
        "id": account_id, "object": "account", "charges_enabled": True, "payouts_enabled": True,
        "details_submitted": True, "country": "US", "default_currency": "usd", "email": None,
        "type": "standard", "capabilities": {}, "metadata": {},
    }  # fmt: skip


def is_success(attempt: Any) -> bool:
    """Whether a receiver answered 2xx."""
    return attempt["status"] is not None and 200 <= attempt["status"] < 300
