"""PayPal's webhooks: what proves them, and what is done with what they say."""

import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from gateways.paypal.config import Config
from gateways.paypal.gateway import PaypalGateway
from gateways.paypal.pause import PAUSE_S, Pause
from gateways.webhook import Delivery, WebhookRefused, WebhookResult, WebhookUnverifiable
from tests.gateways.local_server import Reply, refused_url
from tests.gateways.paypal.account import OPTIONS, TOKEN
from tests.gateways.paypal.authority import CERT_PATH, NAME, Authority, bare, delivery, pem
from tests.gateways.paypal.receiver import EVENT, LEAF, ROOT, Receiver
from tests.gateways.samples import CREATED_AT

OTHER_ROOT = Authority("Another Root")
RENEWED_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class TestGenuineWebhook:
    def test_is_read(self, receiver: Receiver) -> None:
        assert receiver.read(EVENT).event_id == "WH-1"

    def test_needs_its_certificate_only_once(self, receiver: Receiver) -> None:
        for _ in range(3):
            receiver.read(EVENT)
        assert [request.path for request in receiver.server.received] == [CERT_PATH]

    def test_needs_of_its_certificate_only_a_chain_the_dates_and_the_name(
        self, receiver: Receiver
    ) -> None:
        receiver.serve(bare(ROOT))
        assert receiver.read(EVENT).event_id == "WH-1"

    def test_may_be_signed_with_a_certificate_that_was_renewed(self, receiver: Receiver) -> None:
        receiver.read(EVENT)
        receiver.serve(ROOT.issue(key=RENEWED_KEY))
        for _ in range(2):
            assert receiver.read(EVENT, key=RENEWED_KEY).event_id == "WH-1"
        assert len(receiver.server.received) == 2

    def test_is_read_though_a_forger_made_us_look_for_the_renewed_certificate(
        self, receiver: Receiver
    ) -> None:
        receiver.read(EVENT)
        receiver.serve(ROOT.issue(key=RENEWED_KEY))
        with pytest.raises(WebhookRefused, match="signature"):
            receiver.read(EVENT, signed=b"{}")
        assert receiver.read(EVENT, key=RENEWED_KEY).event_id == "WH-1"

    def test_is_read_after_the_kept_certificate_ran_out_and_another_came(
        self, receiver: Receiver
    ) -> None:
        receiver.serve(ROOT.issue(at=CREATED_AT - timedelta(hours=20)))
        receiver.read(EVENT)
        receiver.serve(LEAF)
        given, later = delivery(EVENT, receiver.url), CREATED_AT + timedelta(hours=8)
        assert receiver.read_delivery(Delivery(given.body, "", given.headers, later)).event_id

    def test_may_be_for_any_webhook_id_of_ours(self, receiver: Receiver) -> None:
        receiver.gateway = receiver.made(webhook_ids="NEW1, OLD2")
        assert receiver.read(EVENT, webhook_id="OLD2").event_id
        with pytest.raises(WebhookRefused):
            receiver.read(EVENT)

    def test_may_bring_its_intermediate_or_leave_it_to_the_settings(
        self, receiver: Receiver
    ) -> None:
        between = Authority("Between", issuer=ROOT)
        receiver.serve(between.issue(), between.certificate)
        assert receiver.read(EVENT).event_id
        receiver.serve(between.issue())
        receiver.roots.write_bytes(pem(ROOT.certificate, between.certificate))
        receiver.gateway = receiver.made()
        assert receiver.read(EVENT).event_id


class TestForgedWebhook:
    def refused(self, receiver: Receiver, match: str, **changes: Any) -> None:
        with pytest.raises(WebhookRefused, match=match):
            receiver.read(EVENT, **changes)

    @pytest.mark.parametrize(
        "url",
        [
            "https://evil.example" + CERT_PATH,
            "https://api.paypal.com.evil.example" + CERT_PATH,
            "https://api.paypal.com@evil.example" + CERT_PATH,
            "http://api.paypal.com" + CERT_PATH,
            "https://api.paypal.com:444" + CERT_PATH,
            "{server}@evil.example" + CERT_PATH,
            "{server}" + CERT_PATH + "?x=1",
            "{server}" + CERT_PATH + "#x",
            "{server}/v1/notifications/certs/../webhooks",
            "{server}/v1/notifications/certs/a%2f..",
            "{server}/elsewhere/CERT-1",
            "file:///etc/passwd",
            "",
            "https://[",
        ],
    )
    def test_names_a_certificate_elsewhere_and_nobody_is_asked(
        self, receiver: Receiver, url: str
    ) -> None:
        self.refused(receiver, "URL", url=url.format(server=receiver.server.url))
        assert receiver.server.received == []

    def test_names_a_certificate_at_great_length(self, receiver: Receiver) -> None:
        self.refused(receiver, "URL", url=receiver.url + "A" * 500)

    def test_names_a_certificate_that_does_not_exist(self, receiver: Receiver) -> None:
        receiver.server.reply(Reply(404))
        self.refused(receiver, "no such certificate")
        assert len(receiver.server.received) == 1

    def test_of_live_money_cannot_point_at_the_sandboxs_certificates(self) -> None:
        live = Config.from_settings({**OPTIONS, "api_base": "https://api-m.paypal.com"})
        test = Config.from_settings({**OPTIONS, "api_base": "https://api-m.sandbox.paypal.com"})
        assert set(live.cert_origins) == {"https://api.paypal.com", "https://api-m.paypal.com"}
        assert not set(live.cert_origins) & set(test.cert_origins)

    def test_makes_us_look_for_a_renewed_certificate_only_once(self, receiver: Receiver) -> None:
        for _ in range(5):
            self.refused(receiver, "signature", signed=b"{}")
        assert [request.path for request in receiver.server.received] == [CERT_PATH] * 2
        assert receiver.read(EVENT).event_id == "WH-1"

    def test_has_a_body_that_was_changed_or_written_anew(self, receiver: Receiver) -> None:
        self.refused(receiver, "signature", signed=b"{}")
        compact = json.dumps(EVENT, separators=(",", ":")).encode()
        self.refused(receiver, "signature", signed=compact)

    @pytest.mark.parametrize(
        ("header", "value", "match"),
        [
            ("transmission_time", "2026-11-22T03:31:01Z", "signature"),
            ("transmission_time", "", "headers"),
            ("transmission_id", "a|b", "headers"),
            ("transmission_sig", "", "missing"),
            ("transmission_sig", "!!!", "signature"),
            ("transmission_sig", "A" * 4096, "long"),
            ("auth_algo", "SHA1withRSA", "algorithm"),
            ("auth_algo", "none", "algorithm"),
            ("auth_algo", "", "algorithm"),
        ],
    )
    def test_has_a_header_that_does_not_fit(
        self, receiver: Receiver, header: str, value: str, match: str
    ) -> None:
        self.refused(receiver, match, **{header: value})

    def test_is_signed_for_another_webhook_id(self, receiver: Receiver) -> None:
        self.refused(receiver, "webhook ids", webhook_id="SOMEBODYELSE")

    def test_chains_to_a_root_that_we_do_not_trust(self, receiver: Receiver) -> None:
        receiver.serve(OTHER_ROOT.issue(), OTHER_ROOT.certificate)
        self.refused(receiver, "chain")

    @pytest.mark.parametrize(
        "lack", [{"is_authority": False}, {"is_authority": None}, {"signs_certificates": False}]
    )
    def test_uses_a_certificate_that_no_authority_issued(
        self, receiver: Receiver, lack: dict[str, Any]
    ) -> None:
        # Anybody has a certificate for a site of theirs, and could sign others with its key.
        site = Authority("www.evil.example", issuer=ROOT, **lack)
        receiver.serve(site.issue(), site.certificate)
        self.refused(receiver, "chain")

    @pytest.mark.parametrize(
        "name",
        [
            "www.paypal.com",
            "messageverificationcerts.paypal.com.evil.example",
            "messageverificationcerts.evil.example",
            "x.messageverificationcerts.paypal.com",
        ],
    )
    def test_is_in_another_name(self, receiver: Receiver, name: str) -> None:
        receiver.serve(ROOT.issue(name))
        self.refused(receiver, "name")

    @pytest.mark.parametrize("days", [-3, 3])
    def test_uses_a_certificate_outside_its_dates(self, receiver: Receiver, days: int) -> None:
        receiver.serve(ROOT.issue(NAME, CREATED_AT + timedelta(days=days)))
        self.refused(receiver, "dates")

    def test_is_checked_anew_when_a_kept_certificate_has_run_out(self, receiver: Receiver) -> None:
        receiver.read(EVENT)
        late = delivery(EVENT, receiver.url)
        with pytest.raises(WebhookRefused, match="dates"):
            receiver.gateway.read_webhook(
                Delivery(late.body, "", late.headers, CREATED_AT + timedelta(days=2))
            )

    @pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"id": NaN}', b'{"a":' * 5000])
    def test_is_no_json_object(self, receiver: Receiver, body: bytes) -> None:
        good = delivery(EVENT, receiver.url)
        with pytest.raises(WebhookRefused, match="JSON"):
            receiver.read_delivery(Delivery(body, "", good.headers, CREATED_AT))
        assert receiver.server.received == []

    @given(headers=st.dictionaries(st.text(max_size=30), st.text(max_size=60)))
    def test_never_gets_further_than_a_refusal(self, headers: dict[str, str]) -> None:
        options = {**OPTIONS, "api_base": "http://127.0.0.1:9"}
        with pytest.raises(WebhookRefused):
            PaypalGateway(Config.from_settings(options)).read_webhook(
                Delivery(b"{}", "", headers, CREATED_AT)
            )


class TestPaypalsOwnVerdict:
    def replies(self, *contents: object) -> list[Reply]:
        return [Reply(200, json.dumps(content).encode()) for content in contents]

    def test_is_asked_when_the_certificate_cannot_be_had(self, receiver: Receiver) -> None:
        verdict = self.replies(TOKEN, {"verification_status": "SUCCESS"})
        receiver.server.reply(Reply(503), *verdict)
        assert receiver.read(EVENT).event_id
        asked = receiver.server.received[2]
        assert asked.path == "/v1/notifications/verify-webhook-signature"
        assert json.loads(asked.body)["webhook_id"] == "96605875FF6516633"

    def test_gets_the_event_byte_for_byte(self, receiver: Receiver) -> None:
        receiver.gateway = receiver.made(webhook_verification="api")
        verdict = self.replies(TOKEN, {"verification_status": "SUCCESS"})
        receiver.server.reply(*verdict)
        given = delivery(EVENT, receiver.url)
        receiver.read_delivery(given)
        sent = receiver.server.received[1].body
        assert sent.endswith(b'"webhook_event": ' + given.body + b"}")
        assert json.loads(sent)["auth_algo"] == "SHA256withRSA"

    @pytest.mark.parametrize(
        ("replies", "match"),
        [
            ([{"verification_status": "FAILURE"}], "disowns"),
            ([{"verification_status": "success"}], "disowns"),
        ],
    )
    def test_must_be_success(self, receiver: Receiver, replies: list[object], match: str) -> None:
        receiver.gateway = receiver.made(webhook_verification="api")
        receiver.server.reply(*self.replies(TOKEN, *replies))
        with pytest.raises(WebhookRefused, match=match):
            receiver.read(EVENT)

    @pytest.mark.parametrize("status", [400, 422])
    def test_of_a_question_without_sense_is_no(self, receiver: Receiver, status: int) -> None:
        receiver.gateway = receiver.made(webhook_verification="api")
        receiver.server.reply(*self.replies(TOKEN), Reply(status))
        with pytest.raises(WebhookRefused, match="disowns"):
            receiver.read(EVENT)

    @pytest.mark.parametrize("reply", [Reply(200, b"[]"), Reply(401), Reply(429), Reply(503)])
    def test_that_says_nothing_leaves_it_open(self, receiver: Receiver, reply: Reply) -> None:
        receiver.gateway = receiver.made(webhook_verification="api")
        receiver.server.reply(*self.replies(TOKEN), reply)
        with pytest.raises(WebhookUnverifiable, match="could not be asked"):
            receiver.read(EVENT)

    def test_that_cannot_be_had_leaves_it_open_so_that_paypal_comes_again(
        self, receiver: Receiver
    ) -> None:
        url = refused_url()
        gateway = receiver.made(api_base=url)
        with pytest.raises(WebhookUnverifiable, match="could not be asked"):
            gateway.read_webhook(delivery(EVENT, url + CERT_PATH))
        assert gateway.answer_webhook(WebhookResult.FAILED).status == 503

    @pytest.mark.parametrize("verification", ["local", "api"])
    def test_is_not_waited_for_by_every_delivery_while_nobody_answers(
        self, receiver: Receiver, verification: str
    ) -> None:
        receiver.gateway = receiver.made(webhook_verification=verification)
        receiver.server.reply(Reply(fault="reset"))
        for _ in range(5):
            with pytest.raises(WebhookUnverifiable):
                receiver.read(EVENT)
        paths = [request.path for request in receiver.server.received]
        assert paths == [*([CERT_PATH] if verification == "local" else []), "/v1/oauth2/token"]

    def test_is_not_needed_for_a_certificate_that_is_known(self, receiver: Receiver) -> None:
        receiver.read(EVENT)
        receiver.server.reply(Reply(fault="reset"))
        with pytest.raises(WebhookUnverifiable):
            receiver.read(EVENT, url=receiver.url + "B")
        assert receiver.read(EVENT).event_id == "WH-1"

    def test_is_not_asked_about_what_is_plainly_forged(self, receiver: Receiver) -> None:
        with pytest.raises(WebhookRefused):
            receiver.read(EVENT, webhook_id="OTHER")
        assert len(receiver.server.received) == 1

    def test_is_asked_when_a_certificate_came_without_its_issuer(self, receiver: Receiver) -> None:
        # So PayPal's own has been seen, and the public roots do not lead to it.
        between = Authority("Between", issuer=ROOT)
        verdict = self.replies(TOKEN, {"verification_status": "SUCCESS"})
        receiver.server.reply(Reply(200, pem(between.issue())), *verdict)
        for _ in range(2):
            assert receiver.read(EVENT).event_id == "WH-1"
        with pytest.raises(WebhookRefused, match="signature"):
            receiver.read(EVENT, signed=b"{}")
        paths = [request.path for request in receiver.server.received]
        verdict_path = "/v1/notifications/verify-webhook-signature"
        assert paths == [CERT_PATH, "/v1/oauth2/token", verdict_path, verdict_path, CERT_PATH]

    def test_is_asked_while_the_roots_are_missing(self, receiver: Receiver) -> None:
        receiver.roots.unlink()
        verdict = self.replies(TOKEN, {"verification_status": "SUCCESS"})
        receiver.server.reply(Reply(200, pem(LEAF)), *verdict)
        assert receiver.read(EVENT).event_id


class TestAPause:
    def test_ends_by_itself(self) -> None:
        now = 100.0
        pause = Pause(clock=lambda: now)
        assert not pause.is_on()
        pause.begin()
        now += PAUSE_S - 0.1
        assert pause.is_on()
        now += 0.1
        assert not pause.is_on()


class TestAnswerToPaypal:
    def test_is_2xx_exactly_for_what_is_stored(self, receiver: Receiver) -> None:
        for result in WebhookResult:
            status = receiver.gateway.answer_webhook(result).status
            stored = result not in {WebhookResult.REFUSED, WebhookResult.FAILED}
            assert (status == 200) is stored
