"""The addresses that gateways call: open to them, with nothing between the bytes and the proof."""

import json
import os
import time

import pytest
from django.test import Client
from stripe import WebhookSignature

from payments.models import WebhookEvent
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
        row = TransactionFactory.create(status="PROCESSING")
        response = stranger.get(ipn(row), headers={"Accept": "text/html"})
        assert (response.status_code, response["Content-Type"]) == (200, "application/json")
        assert json.loads(response.content) == {"RspCode": "00", "Message": "Confirm Success"}
        assert not response.cookies
        for path in ("/webhooks/stripe", "/webhooks/momo"):
            refused = stranger.post(path, b"{}", "application/json")
            assert refused.status_code == 400
            assert b"<html" not in refused.content

    def test_verify_the_bytes_as_they_came(self, stranger: Client) -> None:
        assert stripe_says(stranger, ODD, signed=ODD) == 200
        kept = WebhookEvent.objects.get(verified=True)
        assert (kept.event_id, bytes(kept.body)) == ("evt_odd", ODD.encode())

    def test_refuse_the_same_values_in_other_bytes(self, stranger: Client) -> None:
        assert stripe_says(stranger, json.dumps(json.loads(ODD)), signed=ODD) == 400
        assert not WebhookEvent.objects.filter(verified=True).exists()
