"""What integrations of Stripe and PayPal most often get wrong, and the tests that keep ours right.

The numbers are those of the list that the adapters were built from.
"""

from collections.abc import Mapping
from typing import Final

import pytest

from tests.gateways.known_pitfalls import Trap, files_of, missing

TRAPS: Final[Mapping[int, Trap]] = {
    1: Trap(
        "the browser's return taken for payment",
        {
            "checkout/test_paying.py": ("test_believes_nothing_that_it_is_told",),
        },
    ),
    2: Trap(
        "Stripe: payment_method_types sent, old ui_mode words, a PaymentIntent expected on"
        " an open page",
        {
            "gateways/stripe/test_requests.py": (
                "test_would_not_fit_with_a_parameter_that_stripe_dropped",
                "test_fits_the_types_of_the_sdk",
            ),
            "gateways/stripe/test_responses.py": ("test_sends_the_shopper_there",),
            "sandbox/test_stripe_intents.py": ("test_names_the_parameter",),
            "sandbox/test_stripe_checkout.py": ("test_names_the_parameter",),
        },
    ),
    3: Trap(
        "Stripe: metadata of the session looked for on the PaymentIntent, the charge or the refund",
        {
            "gateways/stripe/test_requests.py": (
                "test_writes_our_reference_where_each_object_can_find_it",
            ),
            "gateways/stripe/test_webhooks.py": (
                "test_may_be_about_a_refund_made_in_the_dashboard",
            ),
        },
    ),
    4: Trap(
        "Stripe: retries left to an SDK that makes none, and none at all of a 429; a 409"
        " without a code",
        {
            "gateways/stripe/test_requests.py": ("test_sees_no_retry_by_the_sdk",),
            "gateways/stripe/test_responses.py": (
                "test_end_a_creation_only_by_an_explicit_no",
                "test_pass_on_how_long_to_wait",
            ),
        },
    ),
    5: Trap(
        "a key made anew for each try, a body that changes between tries, a key used after"
        " its life",
        {
            "gateways/stripe/test_requests.py": ("test_repeats_the_same_bytes_under_the_same_key",),
            "gateways/paypal/test_requests.py": (
                "test_repeats_the_same_bytes_and_key_out_of_a_store_that_reorders",
            ),
            "payments/processing/test_planning.py": (
                "test_sends_the_same_bytes_again_when_a_worker_died",
                "test_only_asks_once_the_gateway_has_forgotten_the_key",
                "test_asks_about_a_later_operation_whose_key_is_forgotten",
            ),
        },
    ),
    6: Trap(
        "a 500 or a timeout taken for a no",
        {
            "gateways/contract/test_contract.py": (
                "test_knows_nothing_after_a_fault_and_the_truth_afterwards",
                "test_is_charged_once_whatever_breaks",
            ),
            "payments/processing/test_dispatch.py": (
                "test_never_ends_a_payment_for_want_of_an_answer",
            ),
        },
    ),
    7: Trap(
        "a signature over JSON that was written anew, or under the secret of the other mode",
        {
            "gateways/stripe/test_webhooks.py": (
                "test_is_refused_for_other_bytes_of_the_same_value",
                "test_is_refused",
            ),
            "gateways/paypal/test_webhooks.py": (
                "test_has_a_body_that_was_changed_or_written_anew",
                "test_is_signed_for_another_webhook_id",
            ),
            "gateways/contract/test_webhooks.py": (
                "test_are_not_believed_under_other_credentials",
            ),
        },
    ),
    8: Trap(
        "events put in order, or told apart, by their time; one that overtakes the answer",
        {
            "payments/outcomes/test_apply.py": (
                "test_ends_the_same_in_every_order_and_however_often",
                "test_is_applied_and_the_answer_is_a_repeat",
            ),
            "payments/inbox/test_inbox.py": ("test_is_matched_as_soon_as_its_payment_is_there",),
            "gateways/contract/test_webhooks.py": (
                "test_are_read_the_same_however_often_and_in_whatever_order",
            ),
        },
    ),
    9: Trap(
        "a page or an order that is complete booked as paid",
        {
            "gateways/stripe/test_webhooks.py": (
                "test_book_nothing_that_is_complete_and_not_paid",
            ),
            "gateways/stripe/test_responses.py": (
                "test_believes_the_payment_intent_of_a_complete_page",
            ),
            "gateways/paypal/test_responses.py": (
                "test_of_a_completed_order_looks_at_its_capture",
            ),
        },
    ),
    10: Trap(
        "the fee read before there is one",
        {
            "gateways/stripe/test_responses.py": ("test_takes_the_money",),
            "gateways/paypal/test_responses.py": (
                "test_of_a_pending_capture_keeps_the_reason_and_no_fee",
            ),
            "sandbox/test_stripe_events.py": ("test_tell_the_late_balance_transaction",),
        },
    ),
    11: Trap(
        "one table of exponents for both",
        {
            "gateways/stripe/test_amounts.py": (
                "test_are_in_the_scale_of_stripe",
                "test_that_do_not_fit_are_refused_not_rounded",
            ),
            "gateways/paypal/test_amounts.py": (
                "test_uses_paypals_scale",
                "test_is_refused_with_a_fraction_that_paypal_does_not_take",
            ),
            "gateways/paypal/test_requests.py": ("test_refuses_dong",),
        },
    ),
    12: Trap(
        "the amount of a charge compared with that of its settlement",
        {
            "gateways/stripe/test_settlement.py": (
                "test_keeps_what_was_paid_where_stripe_converted",
            ),
        },
    ),
    13: Trap(
        "a refund that has succeeded taken for final, or one of the dashboard not known; a"
        " refund without the capture",
        {
            "gateways/stripe/test_webhooks.py": (
                "test_are_about_the_refund_and_never_pay",
                "test_may_be_about_a_refund_made_in_the_dashboard",
                "test_of_a_hold_that_ran_out_give_nothing_back",
            ),
            "gateways/contract/test_later_webhooks.py": ("test_say_what_has_become_of_it",),
            "gateways/contract/test_refunding.py": (
                "test_of_a_failing_refund_end_in_a_no_with_a_reason",
            ),
            "gateways/paypal/test_requests.py": ("test_refund_the_capture_and_never_the_order",),
        },
    ),
    14: Trap(
        "PayPal: a certificate from anywhere, the webhook id of the request, no check of"
        " name and chain",
        {
            "gateways/paypal/test_webhooks.py": (
                "test_names_a_certificate_elsewhere_and_nobody_is_asked",
                "test_is_signed_for_another_webhook_id",
                "test_is_in_another_name",
                "test_chains_to_a_root_that_we_do_not_trust",
            ),
        },
    ),
    15: Trap(
        "PayPal: a token for each request, only rel=approve, no capture when nobody comes"
        " back, an invoice_id used again",
        {
            "gateways/paypal/test_tokens.py": ("test_serves_many_calls",),
            "gateways/paypal/test_responses.py": (
                "test_leads_to_the_page_under_either_of_its_names",
            ),
            "gateways/paypal/test_events.py": (
                "test_of_an_approval_leads_through_the_capture_to_the_money",
            ),
            "gateways/paypal/test_requests.py": ("test_makes_one_unit_with_our_reference_in_it",),
        },
    ),
    16: Trap(
        "PayPal: transactions searched at once, and told apart by their id alone",
        {
            "gateways/paypal/test_settlement.py": (
                "test_wait_until_paypals_data_reach_so_far",
                "test_with_one_id_are_told_apart",
            ),
        },
    ),
    17: Trap(
        "a webhook answered before it is stored, or only after all its work",
        {
            "payments/inbox/test_inbox.py": (
                "test_moves_everything_in_one_commit",
                "test_is_applied_by_us_when_the_gateway_never_calls_again",
            ),
            "gateways/paypal/test_webhooks.py": ("test_is_2xx_exactly_for_what_is_stored",),
        },
    ),
    18: Trap(
        "a client_secret, a token or people in what is kept",
        {
            "gateways/stripe/test_responses.py": (
                "test_keeps_no_secret_and_nobody_s_name",
                "test_keeps_nobody_s_name",
            ),
            "gateways/stripe/test_requests.py": ("test_sends_the_token_and_keeps_it_nowhere",),
            "gateways/paypal/test_requests.py": (
                "test_keeps_no_token_no_secret_and_nobody_personal",
            ),
        },
    ),
}


class TestTraps:
    def test_are_all_listed(self) -> None:
        assert list(TRAPS) == list(range(1, 19))

    @pytest.mark.parametrize("file", files_of(TRAPS))
    def test_are_kept_shut_by_tests_that_exist(self, file: str) -> None:
        assert missing(TRAPS, file) == set()
