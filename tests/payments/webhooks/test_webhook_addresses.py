"""The addresses that gateways call: open to them, with nothing between the bytes and the proof."""

import json
import os
import time

import pytest
from django.conf import settings
from django.test import Client
from stripe import WebhookSignature

from payments.models import WebhookEvent
from payments.routing.registry import build_gateway, gateways
from tests.factories import TransactionFactory
from tests.vnpay_ipn import ipn

pytestmark = pytest.mark.django_db(transaction=True)

# An event about nothing of ours, in bytes that no JSON library would write.
ODD: str = '{"type" : "product.created",\n "id":"evt_odd", "data":{"object": {"caf\\u00e9": 1e2}}}'


@pytest.fixture
def stranger() -> Client:
    """A caller with no session, no token and no cookie, whose forms would be refused."""
    return Client(enforce_csrf_checks=True)


def stripe_says(client: Client, body: str, signed: str) -> int:
    """The status for ``body`` under Stripe's own signature of ``signed``."""
    secret = os.environ["STRIPE_WEBHOOK_SECRETS"].split(",")[0]
    header = WebhookSignature.generate_signature_header(signed, secret, int(time.time()))
    headers = {"Stripe-Signature": header}
    response = client.post("/webhooks/stripe", body, "application/json", headers=headers)
    return response.status_code


class TestTheAddresses:
    @pytest.mark.parametrize("path", ["/webhooks/nobody", "/webhooks/vnpay2"])
    def test_know_only_the_gateways_that_are_configured(self, client: Client, path: str) -> None:
        assert client.post(path, b"{}", "application/json").status_code == 404

    def test_take_vnpay_by_get_and_the_others_by_post(self, client: Client) -> None:
        assert client.post("/webhooks/vnpay").status_code == 405
        assert client.get("/webhooks/stripe").status_code == 405

    def test_answer_a_stranger_in_the_gateways_words_and_lead_nowhere_else(
        self, stranger: Client
    ) -> None:
        payment = TransactionFactory.create(status="PROCESSING")
        response = stranger.get(ipn(payment), headers={"Accept": "text/html"})
        assert (response.status_code, response["Content-Type"]) == (200, "application/json")
        assert json.loads(response.content) == {"RspCode": "00", "Message": "Confirm Success"}
        assert not response.cookies
        for path in ("/webhooks/stripe", "/webhooks/momo"):
            refused = stranger.post(path, b"{}", "application/json")
            assert refused.status_code == 400
            assert b"<html" not in refused.content

    @pytest.mark.parametrize(
        ("senders", "caller", "code"),
        [
            ("", "198.51.100.7", "00"),
            ("113.160.92.202", "113.160.92.202", "00"),
            ("192.0.2.1, 113.160.92.0/24", "113.160.92.202", "00"),
            ("2001:db8::/32", "2001:db8::7", "00"),
            ("113.160.92.202", "113.160.92.203", "97"),
            ("2001:db8::/32", "113.160.92.202", "97"),
            ("113.160.92.202", "", "97"),
        ],
    )
    def test_hear_only_the_senders_that_the_settings_name(
        self,
        stranger: Client,
        monkeypatch: pytest.MonkeyPatch,
        senders: str,
        caller: str,
        code: str,
    ) -> None:
        # Built before the settings are changed, or the change would outlast this test in them.
        configured = gateways()
        options = {**settings.GATEWAYS["vnpay"]["options"], "webhook_senders": senders}
        entry = {**settings.GATEWAYS["vnpay"], "options": options}
        monkeypatch.setitem(settings.GATEWAYS, "vnpay", entry)
        monkeypatch.setitem(configured, "vnpay", build_gateway("vnpay"))
        payment = TransactionFactory.create(status="PROCESSING")
        response = stranger.get(
            ipn(payment), headers={"X-Forwarded-For": "113.160.92.202"}, REMOTE_ADDR=caller
        )
        payment.refresh_from_db()
        assert json.loads(response.content)["RspCode"] == code
        assert payment.status == ("SUCCESS" if code == "00" else "PROCESSING")

    def test_verify_the_bytes_as_they_came(self, stranger: Client) -> None:
        assert stripe_says(stranger, ODD, signed=ODD) == 200
        kept = WebhookEvent.objects.get(verified=True)
        assert (kept.event_id, bytes(kept.body)) == ("evt_odd", ODD.encode())

    def test_refuse_the_same_values_in_other_bytes(self, stranger: Client) -> None:
        assert stripe_says(stranger, json.dumps(json.loads(ODD)), signed=ODD) == 400
        assert not WebhookEvent.objects.filter(verified=True).exists()
