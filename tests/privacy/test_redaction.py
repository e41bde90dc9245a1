import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.redaction import find_card_number, mask_cards, mask_email, mask_text, redact

CARDS = [
    "4111111111111111", "5555555555554444", "2223003122003222", "378282246310005",
    "6011111111111117", "3530111333300000", "30569309025904", "6200000000000005",
    "9704000000000018", "4222222222222",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


class TestCardNumbers:
    @pytest.mark.parametrize("number", CARDS)
    def test_are_found_however_they_are_written(self, number: str) -> None:
        groups = " ".join(number[start : start + 4] for start in range(0, len(number), 4))
        for text in (number, groups, groups.replace(" ", "-"), f"pay {number}.", f"({groups})"):
            assert find_card_number(text) is not None

    @pytest.mark.parametrize(
        "text",
        ["4111111111111112", "1234567890123456", "0199f1d2c3b47a5e8f90123456789abc",
         "41111111111111111111111", "20261122103500", "+84 901 234 567", "150000", "",
         "4111x1111x1111x1111"],
    )  # fmt: skip
    def test_are_not_seen_in_other_numbers(self, text: str) -> None:
        assert find_card_number(text) is None

    def test_are_masked_to_their_last_four_digits(self) -> None:
        assert mask_cards("card 4111 1111 1111 1111!") == "card ••••••••••••1111!"


class TestRedact:
    @pytest.mark.parametrize(
        "key",
        ["client_secret", "password", "Authorization", "vnp_SecureHash", "X-Api-Key", "cvc",
         "payment_token", "card_number", "accessKey", "Set-Cookie", "sessionid"],
    )  # fmt: skip
    def test_keeps_no_value_of_a_secret_name(self, key: str) -> None:
        assert redact({key: "abc"}) == {key: "[redacted]"}

    @pytest.mark.parametrize(
        "value",
        ["sk_test_abcDEF123", "rk_live_abc", "whsec_abc+/=", "pi_1_secret_2", "eyJh.eyJz.sig",
         "Bearer abc", "tok_visa"],
    )  # fmt: skip
    def test_finds_a_secret_by_its_form(self, value: str) -> None:
        assert mask_text(f"before {value} after") == "before [redacted] after"

    def test_leaves_what_staff_need(self) -> None:
        harmless = {"status": "SUCCESS", "amount": 150_000, "reference": "a" * 32, "ok": True}
        assert redact(harmless) == harmless

    def test_goes_into_lists_and_objects(self) -> None:
        assert redact({"a": [{"email": "linh@example.com"}]}) == {
            "a": [{"email": "l***@example.com"}]
        }

    def test_has_a_floor(self) -> None:
        deep: object = "x"
        for _ in range(100):
            deep = [deep]
        assert "[redacted]" in str(redact(deep))

    @given(JSON)
    def test_never_fails_and_redacts_nothing_twice(self, value: object) -> None:
        once = redact(value)
        assert redact(once) == once


class TestMaskEmail:
    @pytest.mark.parametrize(
        ("address", "masked"),
        [("linh@example.com", "l***@example.com"), ("@x", "***@x"), ("linh", "li***")],
    )
    def test_keeps_enough_to_recognise(self, address: str, masked: str) -> None:
        assert mask_email(address) == masked
