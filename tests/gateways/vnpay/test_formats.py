"""Amounts, dates, addresses and texts in VNPAY's shapes."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.operation import UnsupportedOperation
from gateways.vnpay import amounts, formats
from money.money import EXPONENTS, Money


class TestAmounts:
    @given(st.integers(min_value=1, max_value=9_999_999_999))
    def test_come_back_as_they_went(self, minor: int) -> None:
        money = Money(minor, "VND")
        assert amounts.from_wire(amounts.to_wire(money)) == money

    def test_are_times_one_hundred(self) -> None:
        assert amounts.to_wire(Money(10_000, "VND")) == "1000000"

    @pytest.mark.parametrize("minor", [0, 10_000_000_000])
    def test_that_do_not_fit_twelve_digits_are_refused(self, minor: int) -> None:
        with pytest.raises(UnsupportedOperation):
            amounts.to_wire(Money(minor, "VND"))

    @pytest.mark.parametrize("currency", sorted(set(EXPONENTS) - {"VND"}))
    def test_of_another_currency_are_refused(self, currency: str) -> None:
        with pytest.raises(UnsupportedOperation):
            amounts.to_wire(Money(10_000, currency))

    @pytest.mark.parametrize("text", ["", "100", "10050", "-100", "1e6", "100.00", "٣٠٠", "1" * 13])
    def test_that_are_no_whole_dong_are_no_money(self, text: str) -> None:
        expected = Money(1, "VND") if text == "100" else None
        assert amounts.from_wire(text) == expected


class TestDates:
    @pytest.mark.parametrize(
        ("moment", "text"),
        [
            (datetime(2026, 11, 22, 3, 30, tzinfo=UTC), "20261122103000"),
            (datetime(2026, 12, 31, 17, 0, 1, 999_999, tzinfo=UTC), "20270101000001"),
        ],
    )
    def test_are_seven_hours_ahead_of_utc(self, moment: datetime, text: str) -> None:
        """Not behind: ``Etc/GMT+7`` is UTC-7, and links come out 14 hours old."""
        assert formats.date_to_wire(moment) == text

    @pytest.mark.parametrize("zone", ["UTC", "Asia/Ho_Chi_Minh", "America/New_York"])
    def test_do_not_depend_on_where_the_server_stands(
        self, monkeypatch: pytest.MonkeyPatch, zone: str
    ) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        try:
            moment = datetime(2026, 11, 22, 3, 30, tzinfo=UTC)
            assert formats.date_to_wire(moment.astimezone()) == "20261122103000"
        finally:
            monkeypatch.undo()
            time.tzset()


class TestAddresses:
    @pytest.mark.parametrize(
        ("address", "text"),
        [
            ("113.160.92.202", "113.160.92.202"),
            ("1.1.1.1", "1.1.1.1"),
            ("::1", "0000:0000:0000:0000:0000:0000:0000:0001"),
            ("2405:4800:1::7", "2405:4800:1::7"),
            ("::ffff:113.160.92.202", "113.160.92.202"),
            ("fe80::1:2%eth0", "fe80::1:2"),
            ("", "127.0.0.1"),
            ("unknown, 1.2.3.4", "127.0.0.1"),
        ],
    )
    def test_always_have_a_length_vnpay_takes(self, address: str, text: str) -> None:
        assert formats.ip_to_wire(address) == text

    @given(st.ip_addresses())
    def test_of_every_kind_fit(self, address: object) -> None:
        assert 7 <= len(formats.ip_to_wire(str(address))) <= 45


class TestTexts:
    @pytest.mark.parametrize(
        ("text", "plain"),
        [
            ("Đơn hàng số 7 của Nguyễn Thị Ánh", "Don hang so 7 cua Nguyen Thi Anh"),
            ("Trà & bánh (2) *sale*!", "Tra banh 2 sale"),
            ("don hang: ORD-1001", "don hang: ORD-1001"),
            ("咖啡", ""),
            ("x" * 300, "x" * 255),
        ],
    )
    def test_lose_diacritics_and_special_characters(self, text: str, plain: str) -> None:
        assert formats.text_to_wire(text) == plain

    @given(st.text())
    def test_hold_nothing_that_encoders_disagree_on(self, text: str) -> None:
        assert not set(formats.text_to_wire(text)) & set("~*!()'%&=+")

    def test_name_the_system_where_nobody_asked(self) -> None:
        assert formats.name_to_wire("") == "system"


class TestReturnUrls:
    def test_encode_what_encoders_disagree_on(self) -> None:
        assert formats.return_url_to_wire("https://shop.vn/a~b(c)*!'") == (
            "https://shop.vn/a%7Eb%28c%29%2A%21%27"
        )

    @pytest.mark.parametrize("url", ["http://a", "https://shop.vn/" + "x" * 255])
    def test_of_other_lengths_are_refused(self, url: str) -> None:
        with pytest.raises(UnsupportedOperation):
            formats.return_url_to_wire(url)
