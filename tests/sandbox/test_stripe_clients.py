"""What other people's Stripe clients ask for, and our own adapter does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import stripe
from stripe import params
from stripe.params import checkout, reporting, test_helpers

from sandbox.stripe.params import EVERY, NOT_EMULATED, SCHEMAS
from tests.sandbox.sandbox_process import STRIPE_KEY, SandboxProcess, eventually

if TYPE_CHECKING:
    from tests.sandbox.sandbox_process import Shop

DAY_S = 86_400
NOT_SENT = {
    "api_key", "content_type", "headers", "idempotency_key", "max_network_retries",
    "stripe_account", "stripe_context", "stripe_version",
}  # fmt: skip


INVALID = "invalid_request_error"
# Good forms as they stand on the wire, each to be spoiled in one place.
WHOLE_FORMS = {
    "payment_intents": {"amount": "1000", "currency": "usd"},
    "checkout/sessions": {
        "mode": "payment", "success_url": "https://shop.example/ok", "line_items[0][quantity]": "1",
        "line_items[0][price_data][currency]": "usd",
        "line_items[0][price_data][unit_amount]": "1000",
        "line_items[0][price_data][product_data][name]": "Tea",
    },
    "reporting/report_runs": {
        "report_type": "balance_change_from_activity.itemized.3",
        "parameters[interval_start]": "0", "parameters[interval_end]": "9",
    },
}  # fmt: skip


def pay(sandbox: SandboxProcess, reference: str, card: str = "pm_card_visa", **more: Any) -> Any:
    body = {"amount": 1000, "currency": "usd", "confirm": True, "payment_method": card,
            "metadata": {"reference": reference}, **more}  # fmt: skip
    return sandbox.stripe().v1.payment_intents.create(body)


def session(sandbox: SandboxProcess, *lines: dict[str, Any]) -> Any:
    items = [{"price_data": {"currency": "usd", "product_data": {"name": "Tea"}, **line}}
             for line in lines]  # fmt: skip
    body = {"mode": "payment", "success_url": "https://shop.example/ok", "line_items": items}
    return sandbox.stripe().v1.checkout.sessions.create(body)


# What the SDK, which was made from Stripe's own description, takes for each operation.
PUBLISHED: dict[str, Any] = {
    "create_intent": params.PaymentIntentCreateParams,
    "update_intent": params.PaymentIntentModifyParams,
    "get_intent": params.PaymentIntentRetrieveParams,
    "confirm_intent": params.PaymentIntentConfirmParams,
    "capture_intent": params.PaymentIntentCaptureParams,
    "cancel_intent": params.PaymentIntentCancelParams,
    "list_intents": params.PaymentIntentListParams,
    "search_intents": params.PaymentIntentSearchParams,
    "search_charges": params.ChargeSearchParams,
    "create_customer": params.CustomerCreateParams,
    "update_customer": params.CustomerModifyParams,
    "list_customers": params.CustomerListParams,
    "list_methods_of_customer": params.CustomerListPaymentMethodsParams,
    "list_methods": params.PaymentMethodListParams,
    "update_method": params.PaymentMethodModifyParams,
    "attach_method": params.PaymentMethodAttachParams,
    "create_endpoint": params.WebhookEndpointCreateParams,
    "update_endpoint": params.WebhookEndpointModifyParams,
    "list_endpoints": params.WebhookEndpointListParams,
    "create_session": checkout.SessionCreateParams,
    "update_session": checkout.SessionModifyParams,
    "expire_session": checkout.SessionExpireParams,
    "list_sessions": checkout.SessionListParams,
    "line_items": checkout.SessionListLineItemsParams,
    "list_charges": params.ChargeListParams,
    "update_charge": params.ChargeModifyParams,
    "create_refund": params.RefundCreateParams,
    "update_refund": params.RefundModifyParams,
    "list_refunds": params.RefundListParams,
    "list_disputes": params.DisputeListParams,
    "update_dispute": params.DisputeModifyParams,
    "list_transactions": params.BalanceTransactionListParams,
    "list_payouts": params.PayoutListParams,
    "list_events": params.EventListParams,
    "create_report": reporting.ReportRunCreateParams,
    "list_reports": reporting.ReportRunListParams,
    "create_confirmation_token": test_helpers.ConfirmationTokenCreateParams,
}


class TestParameters:
    @pytest.mark.parametrize("operation", PUBLISHED)
    def test_are_those_that_the_sdk_has(self, operation: str) -> None:
        names = {
            name
            for each in PUBLISHED[operation].__mro__
            for name in vars(each).get("__annotations__", ())
        }
        known = {*SCHEMAS.get(operation, EVERY), *NOT_EMULATED.get(operation, ())}
        assert known == names - NOT_SENT

    @pytest.mark.parametrize(
        ("path", "form", "param"),
        [
            ("payment_intents", {"amount": "9" * 5000}, "amount"),
            ("payment_intents", {"amount": "１００"}, "amount"),
            ("payment_intents", {"expand[0][a]": "x"}, "expand"),
            ("payment_intents", {"metadata[a][b]": "x"}, "metadata[a]"),
            ("payment_intents", {"metadata[]": "x"}, "metadata"),
            ("payment_intents", {"automatic_payment_methods[enabled]": "yes"},
             "automatic_payment_methods[enabled]"),
            ("checkout/sessions", {"payment_intent_data[metadata]": "x"},
             "payment_intent_data[metadata]"),
            ("checkout/sessions", {"line_items[0][price_data][product_data][name][a]": "x"},
             "line_items[0][price_data][product_data][name]"),
            ("checkout/sessions", {"client_reference_id": "r" * 201}, "client_reference_id"),
            ("reporting/report_runs", {"parameters[columns][0][a]": "x"}, "parameters[columns]"),
        ],
    )  # fmt: skip
    def test_of_the_wrong_shape_are_named(
        self, sandbox: SandboxProcess, path: str, form: dict[str, str], param: str
    ) -> None:
        (spoiled,) = form
        good = {k: v for k, v in WHOLE_FORMS[path].items() if not spoiled.startswith(k)}
        body = good | form
        answer = sandbox.http.post(
            f"{sandbox.url}/v1/{path}", body, auth=(STRIPE_KEY, ""), timeout=5
        )
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)

    @pytest.mark.parametrize("query", ["created[]=5", "created[near]=5", "created[gt][a]=5"])
    def test_of_the_wrong_shape_are_refused_in_queries(
        self, sandbox: SandboxProcess, query: str
    ) -> None:
        address = f"{sandbox.url}/v1/charges?{query}"
        answer = sandbox.http.get(address, auth=(STRIPE_KEY, ""), timeout=5)
        assert (answer.status_code, answer.json()["error"]["type"]) == (400, INVALID)

    def test_that_switch_something_come_back_as_truths(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        never = {"enabled": True, "allow_redirects": "never"}
        made = pay(sandbox, reference, automatic_payment_methods=never)
        assert made.automatic_payment_methods.to_dict() == never

    def test_take_no_descriptor_that_cards_do_not_have(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        with pytest.raises(stripe.InvalidRequestError) as caught:
            pay(sandbox, reference, statement_descriptor="TEA")
        assert caught.value.param == "statement_descriptor"

    def test_change_how_an_intent_is_captured(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        intents = sandbox.stripe().v1.payment_intents
        made = intents.create({"amount": 1000, "currency": "usd"})
        intents.update(made.id, {"capture_method": "manual"})
        held = intents.confirm(made.id, {"payment_method": "pm_card_visa"})
        assert held.status == "requires_capture"
        with pytest.raises(stripe.InvalidRequestError) as caught:
            intents.capture(made.id, {"final_capture": False, "amount_to_capture": 10})
        assert caught.value.param == "final_capture"

    def test_are_not_ignored_when_they_would_change_the_price(
        self, sandbox: SandboxProcess
    ) -> None:
        with pytest.raises(stripe.InvalidRequestError, match="does not emulate discounts"):
            sandbox.stripe().v1.checkout.sessions.create(
                {"mode": "payment", "discounts": [{"coupon": "half"}]}
            )

    def test_take_a_price_in_either_form(self, sandbox: SandboxProcess) -> None:
        assert session(sandbox, {"unit_amount_decimal": "1050.000"}).amount_total == 1050
        with pytest.raises(stripe.InvalidRequestError) as caught:
            session(sandbox, {"unit_amount_decimal": "10.5"})
        assert caught.value.param == "line_items[0][price_data][unit_amount_decimal]"
        with pytest.raises(stripe.InvalidRequestError, match="only specify one"):
            session(sandbox, {"unit_amount_decimal": "1050", "unit_amount": 1050})

    def test_confirm_no_other_amount(self, sandbox: SandboxProcess, reference: str) -> None:
        intents = sandbox.stripe().v1.payment_intents
        intent = intents.create({"amount": 1000, "currency": "usd"})
        with pytest.raises(stripe.InvalidRequestError) as caught:
            intents.confirm(intent.id, {"payment_method": "pm_card_visa", "amount_to_confirm": 999})
        assert caught.value.param == "amount_to_confirm"
        assert intents.retrieve(intent.id).status == "requires_payment_method"


class TestReading:
    def test_pages_through_the_lines_of_a_session(self, sandbox: SandboxProcess) -> None:
        made = session(sandbox, *({"unit_amount": amount} for amount in (100, 200, 300)))
        lines = sandbox.stripe().v1.checkout.sessions.line_items
        first = lines.list(made.id, {"limit": 1})
        assert [line.amount_total for line in first.auto_paging_iter()] == [100, 200, 300]
        back = lines.list(made.id, {"limit": 1, "ending_before": first.data[0].id})
        assert (back.data, back.has_more) == ([], False)

    def test_takes_the_client_secret(self, sandbox: SandboxProcess, reference: str) -> None:
        made, intents = pay(sandbox, reference), sandbox.stripe().v1.payment_intents
        assert intents.retrieve(made.id, {"client_secret": made.client_secret}).id == made.id

    def test_expands_refunds_and_the_payment_method(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        made = pay(sandbox, reference, "pm_card_mastercard", expand=["payment_method"])
        assert made.payment_method.card.brand == "mastercard"
        client = sandbox.stripe().v1
        refund = client.refunds.create(
            {"payment_intent": made.id, "amount": 300, "currency": "usd"}
        )
        charge = client.charges.retrieve(
            made.latest_charge, {"expand": ["refunds", "payment_method"]}
        )
        assert [each.id for each in charge.refunds.data] == [refund.id]
        assert charge.payment_method.card.last4 == "4444"

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("metadata['reference']:'{}'", True),
            ("-status:'canceled' AND metadata['reference']:'{}'", True),
            ("-status:'succeeded' AND metadata['reference']:'{}'", False),
            ("metadata['reference']:'{}' OR metadata['reference']:'nobody'", True),
            ('amount>999 metadata["reference"]:"{}"', True),
            ("amount>1000 AND metadata['reference']:'{}'", False),
        ],
    )
    def test_searches(
        self, sandbox: SandboxProcess, reference: str, query: str, *, found: bool
    ) -> None:
        made = pay(sandbox, reference)
        sandbox.control("clock", advance_s=3)
        answer = sandbox.stripe().v1.payment_intents.search({"query": query.format(reference)})
        assert [each.id for each in answer.data] == ([made.id] if found else [])

    @pytest.mark.parametrize(
        "query", ["status", "status:'x' AND", "a:'1'", "status:'x' XOR amount:1"]
    )
    def test_does_not_guess_at_a_query(self, sandbox: SandboxProcess, query: str) -> None:
        with pytest.raises(stripe.InvalidRequestError):
            sandbox.stripe().v1.payment_intents.search({"query": query})

    def test_knows_the_account_and_its_balance(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        pay(sandbox, reference, capture_method="automatic")
        assert sandbox.stripe().v1.accounts.retrieve_current().id == "acct_suite"
        (pending,) = [
            each
            for each in sandbox.stripe().v1.balance.retrieve().pending
            if each.currency == "usd"
        ]
        assert pending.amount > 0

    def test_asks_for_the_key_as_browsers_and_curl_expect(self, sandbox: SandboxProcess) -> None:
        answer = sandbox.http.get(f"{sandbox.url}/v1/charges", timeout=5)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="Stripe"'


class TestMoney:
    def test_is_settled_at_once_after_a_synchronous_capture(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        expand = ["latest_charge.balance_transaction"]
        made = pay(sandbox, reference, capture_method="automatic", expand=expand)
        assert made.latest_charge.balance_transaction.net == 1000 - 59

    def test_says_which_card_wants_its_holder(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        with pytest.raises(stripe.CardError) as caught:
            pay(sandbox, reference, "pm_card_authenticationRequired", off_session=True)
        assert caught.value.code == "authentication_required"

    def test_evidence_is_staged_or_handed_in(self, sandbox: SandboxProcess, reference: str) -> None:
        made = pay(sandbox, reference, "pm_card_createDispute")
        disputes = sandbox.stripe().v1.disputes
        (dispute,) = disputes.list({"payment_intent": made.id}).data
        evidence = {"evidence": {"customer_name": "Linh"}}
        staged = disputes.update(dispute.id, {**evidence, "submit": False})
        assert (staged.status, staged.evidence_details.has_evidence) == ("needs_response", True)
        assert staged.evidence_details.submission_count == 0
        handed_in = disputes.update(dispute.id, evidence)
        assert handed_in.status == "under_review"
        assert handed_in.evidence_details.submission_count == 1

    def test_is_paid_out_and_reported(self, own_sandbox: SandboxProcess, reference: str) -> None:
        made = pay(own_sandbox, reference)
        for seconds in (4, 4 * DAY_S):
            own_sandbox.control("clock", advance_s=seconds)
        client = own_sandbox.stripe().v1
        (payout,) = client.payouts.list({"status": "paid"}).data
        assert client.payouts.list({"status": "failed"}).data == []
        assert client.payouts.list({"arrival_date": {"lt": payout.arrival_date}}).data == []
        (kind, _) = client.reporting.report_types.list().data
        run = client.reporting.report_runs.create(
            {
                "report_type": kind.id,
                "parameters": {
                    "interval_start": made.created,
                    "interval_end": made.created + 5 * DAY_S,
                    "columns": ["gross", "net", "reporting_category", "payment_intent_id"],
                },
            }
        )
        assert (run.status, run.result) == ("pending", None)
        own_sandbox.control("clock", advance_s=2)
        done = client.reporting.report_runs.retrieve(run.id)
        assert done.status == "succeeded"
        assert own_sandbox.http.get(done.result.url, timeout=5).status_code == 401
        answer = own_sandbox.http.get(done.result.url, auth=(STRIPE_KEY, ""), timeout=5)
        assert answer.text.splitlines() == [
            "gross,net,reporting_category,payment_intent_id",
            f"10.00,9.41,charge,{made.id}",
        ]
        assert payout.amount == 941

    @pytest.mark.parametrize(
        ("name", "parameters", "param"),
        [
            ("balance_change_from_activity.itemized.3", {}, "parameters[interval_start]"),
            ("nothing.1", {}, None),
            ("payout_reconciliation.itemized.5", {"payout": "po_1", "x": "1"}, "parameters[x]"),
        ],
    )
    def test_refuses_a_report_that_cannot_be(
        self, sandbox: SandboxProcess, name: str, parameters: Any, param: str | None
    ) -> None:
        with pytest.raises(stripe.InvalidRequestError) as caught:
            sandbox.stripe().v1.reporting.report_runs.create(
                {"report_type": name, "parameters": parameters}
            )
        assert caught.value.param == param


class TestEvents:
    def test_tell_what_an_update_has_changed(
        self, own_sandbox: SandboxProcess, own_shop: Shop, reference: str
    ) -> None:
        pay(own_sandbox, reference)
        own_sandbox.control("clock", advance_s=4)
        eventually(lambda: "charge.updated" in own_shop.events(reference))
        bodies = [got.json() for got in own_shop.about(reference)]
        data = {body["type"]: body["data"] for body in bodies}
        assert data["charge.updated"]["previous_attributes"] == {"balance_transaction": None}
        assert "previous_attributes" not in data["payment_intent.succeeded"]

    def test_are_kept_also_when_nobody_hears_them(
        self, sandbox: SandboxProcess, reference: str
    ) -> None:
        made = pay(sandbox, reference, capture_method="automatic")
        events = sandbox.stripe().v1.events
        quiet = ["payment_intent.created", "charge.succeeded"]
        listed = events.list({"types": quiet, "created": {"gte": made.created}}).data
        about = [each for each in listed if made.id in str(each.data.object)]
        assert [(each.type, each.pending_webhooks) for each in about] == [
            (kind, 0) for kind in reversed(quiet)
        ]
        missed = events.list({"types": quiet, "delivery_success": False, "limit": 100}).data
        assert not {each.id for each in about} & {each.id for each in missed}
