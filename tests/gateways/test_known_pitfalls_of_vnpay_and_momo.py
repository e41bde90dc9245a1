"""What integrations of VNPAY and MoMo most often get wrong, and the tests that keep ours from it.

The numbers are those of the list that the adapters were built from; 17 is about a gateway that we
do not have.
"""

from collections.abc import Mapping
from typing import Final

import pytest

from tests.gateways.known_pitfalls import Trap, files_of, missing

TRAPS: Final[Mapping[int, Trap]] = {
    1: Trap(
        "VNPAY: a space signed as %20, or decoded text signed",
        {
            "gateways/vnpay/test_link.py": ("test_is_signed_over_the_text_it_carries",),
            "gateways/vnpay/test_webhooks.py": ("test_is_refused_when_it_signs_decoded_text",),
        },
    ),
    2: Trap(
        "VNPAY: Etc/GMT+7, which is seven hours behind UTC, not ahead",
        {
            "gateways/vnpay/test_formats.py": ("test_are_seven_hours_ahead_of_utc",),
        },
    ),
    3: Trap(
        "VNPAY: dates that are right only where the server's clock runs in UTC",
        {
            "gateways/vnpay/test_formats.py": ("test_do_not_depend_on_where_the_server_stands",),
        },
    ),
    4: Trap(
        "VNPAY: a refund's amount divided before its signature is verified, a 0 that is signed"
        " and not sent, the word undefined taken out of what is signed",
        {
            "gateways/vnpay/test_calls.py": (
                "test_is_done_when_it_is_accepted",
                "test_sends_the_zero_it_signs_where_their_number_is_unknown",
            ),
            "gateways/vnpay/test_link.py": ("test_signs_a_text_as_it_is",),
        },
    ),
    5: Trap(
        "VNPAY: success by one of the two words, and a comparison whose time tells",
        {
            "gateways/vnpay/test_webhooks.py": (
                "test_is_unknown_where_the_words_disagree_or_are_new",
                "test_is_told_apart_in_constant_time",
            ),
        },
    ),
    6: Trap(
        "VNPAY: an answer whose keys are spelled in another way",
        {
            "gateways/vnpay/test_webhooks.py": ("test_is_200_with_exactly_two_keys",),
            "gateways/vnpay/test_sit.py": ("test_passes_all_six_cases",),
        },
    ),
    7: Trap(
        "VNPAY: an IPN answered by a page, a redirect, 401 or a CSRF error",
        {
            "payments/webhooks/test_webhook_addresses.py": (
                "test_answer_a_stranger_in_the_gateways_words_and_lead_nowhere_else",
            ),
        },
    ),
    8: Trap(
        "the browser's return taken for the truth",
        {
            "checkout/test_paying.py": ("test_believes_nothing_that_it_is_told",),
        },
    ),
    9: Trap(
        "an order looked up before the signature, or failed by a wrong one",
        {
            "payments/inbox/test_inbox.py": ("test_changes_nothing_and_uses_up_no_event",),
        },
    ),
    10: Trap(
        "VNPAY: the payment's vnp_CreateDate lost, so that nothing finds it",
        {
            "gateways/vnpay/test_calls.py": (
                "test_is_signed_in_the_published_order",
                "test_is_signed_in_the_published_order",
            ),
        },
    ),
    11: Trap(
        "VNPAY: ::1 or nothing as the shopper's address",
        {
            "gateways/vnpay/test_formats.py": ("test_always_have_a_length_vnpay_takes",),
        },
    ),
    12: Trap(
        "VNPAY: a vnp_TxnRef used again for the next try",
        {
            "payments/services/test_create.py": ("test_a_repeat_after_a_decline_is_a_new_payment",),
        },
    ),
    13: Trap(
        "MoMo: values encoded or dropped before they are signed, amounts times a hundred, a 0 about"
        " a link taken for money, form data read, words of version 1",
        {
            "gateways/test_vectors.py": ("test_agree_with_us",),
            "gateways/momo/test_requests.py": ("test_sends_whole_dong_and_both_references",),
            "gateways/momo/test_responses.py": (
                "test_code_zero_is_a_link_and_no_payment",
                "test_an_answer_in_the_words_of_version_1_is_unknown",
            ),
            "gateways/momo/test_webhooks.py": ("test_is_refused_when_it_is_no_plain_json",),
        },
    ),
    14: Trap(
        "MoMo: a broken text to sign, ASCII, five seconds of patience",
        {
            "gateways/test_vectors.py": ("test_agree_with_us",),
            "gateways/momo/test_requests.py": ("test_posts_utf_8_json_to_each_path",),
            "gateways/momo/test_responses.py": (
                "test_momo_is_given_the_half_minute_that_it_asks_for",
            ),
        },
    ),
    15: Trap(
        "MoMo: a refund under the purchase's orderId",
        {
            "gateways/momo/test_requests.py": (
                "test_refund_is_an_order_of_its_own_about_momos_number",
            ),
        },
    ),
    16: Trap(
        "MoMo: a hold (9000) taken for money",
        {
            "gateways/momo/test_responses.py": ("test_9000_is_paid_or_held_by_the_mode",),
            "gateways/momo/test_webhooks.py": (
                "test_of_9000_is_paid_or_held_by_the_mode_that_travelled_along",
            ),
        },
    ),
    18: Trap(
        "a refund tried again under another id after its answer was lost",
        {
            "gateways/contract/test_refunding.py": ("test_gives_it_back_once_whatever_breaks",),
        },
    ),
}


class TestTraps:
    @pytest.mark.parametrize("file", files_of(TRAPS))
    def test_are_kept_shut_by_tests_that_exist(self, file: str) -> None:
        assert missing(TRAPS, file) == set()
