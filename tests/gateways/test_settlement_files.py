"""Daily files of VNPAY and MoMo: read whole, or refused by line and column."""

import csv
import io
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways import settlement_file
from gateways.base import Gateway
from gateways.momo.gateway import MomoGateway
from gateways.settlement import (
    Movement,
    RecordKind,
    RecordStatus,
    ReportUnavailable,
    SettlementRecord,
)
from gateways.vnpay.gateway import VnpayGateway
from tests.gateways.momo import wallet
from tests.gateways.mutations import FEW
from tests.gateways.samples import CALL_REFERENCE, REFERENCE
from tests.gateways.vnpay import psp_samples

BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Form:
    """One gateway's file: a payment of 100,000 đồng and a refund of 40,000, and its columns."""

    name: str
    gateway: Gateway
    header: Sequence[str]
    paid: Sequence[str]
    refunded: Sequence[str]
    account: str
    amount: str
    net: str
    moment: str
    word: str
    reference: str
    number: str

    def __str__(self) -> str:
        return self.name

    def file(self, *rows: Sequence[str]) -> bytes:
        out = io.StringIO()
        csv.writer(out).writerows([self.header, *rows])
        return out.getvalue().encode()

    def changed(self, column: str, cell: str) -> list[str]:
        """The payment's row with another cell in ``column``."""
        row = list(self.paid)
        row[self.header.index(column)] = cell
        return row

    def read(self, content: bytes) -> list[SettlementRecord]:
        return list(self.gateway.read_settlement_file(content))


VNPAY: Final = Form(
    name="vnpay",
    gateway=VnpayGateway.from_settings(
        {
            "tmn_code": psp_samples.TMN_CODE,
            "hash_secret": psp_samples.SECRET,
            "pay_url": "https://sandbox.vnpayment.vn/paymentv2/vpcpay.html",
            "api_url": "https://sandbox.vnpayment.vn/merchant_webapi/api/transaction",
        }
    ),
    header=[
        "vnp_TmnCode",
        "vnp_TxnRef",
        "vnp_RequestId",
        "vnp_TransactionType",
        "vnp_TransactionNo",
        "vnp_Amount",
        "FeeAmount",
        "NetAmount",
        "vnp_PayDate",
        "SettlementNo",
    ],
    paid=(
        f"{psp_samples.TMN_CODE},{REFERENCE},,01,14226112,10000000,110000,9890000,20261122103500,B7"
    ).split(","),
    refunded=(
        f"{psp_samples.TMN_CODE},{REFERENCE},{CALL_REFERENCE},03,15000001,4000000,0,-4000000,"
        "20261122113500,B7"
    ).split(","),
    account="vnp_TmnCode",
    amount="vnp_Amount",
    net="NetAmount",
    moment="vnp_PayDate",
    word="vnp_TransactionType",
    reference="vnp_TxnRef",
    number="vnp_TransactionNo",
)
MOMO: Final = Form(
    name="momo",
    gateway=MomoGateway.from_settings(
        {**wallet.OPTIONS, "api_base": "https://test-payment.momo.vn"}
    ),
    header=[
        "partnerCode",
        "transType",
        "orderId",
        "transId",
        "purchaseOrderId",
        "purchaseTransId",
        "amount",
        "fee",
        "netAmount",
        "responseTime",
        "settlementId",
    ],
    paid=f"MOMO,payment,{REFERENCE},14226112,,,100000,1100,98900,1795318500000,B7".split(","),
    refunded=(
        f"MOMO,refund,{CALL_REFERENCE},15000001,{REFERENCE},14226112,40000,0,-40000,1795322100000,B7"
    ).split(","),
    account="partnerCode",
    amount="amount",
    net="netAmount",
    moment="responseTime",
    word="transType",
    reference="orderId",
    number="transId",
)
FORMS: Final = (VNPAY, MOMO)


@pytest.fixture(params=FORMS, ids=str)
def form(request: pytest.FixtureRequest) -> Form:
    chosen: Form = request.param
    return chosen


def refusal(form: Form, content: bytes) -> str:
    with pytest.raises(ReportUnavailable) as unavailable:
        form.read(content)
    assert not unavailable.value.can_retry
    return unavailable.value.reason


class TestAFile:
    def test_tells_payments_and_refunds(self, form: Form) -> None:
        paid, refunded = form.read(form.file(form.paid, form.refunded))
        assert (paid.kind, paid.gross, paid.fee, paid.net) == (
            RecordKind.PAYMENT,
            Movement(100_000, "VND"),
            Movement(1_100, "VND"),
            Movement(98_900, "VND"),
        )
        assert (paid.reference, paid.psp_reference) == (REFERENCE, "14226112")
        assert (paid.payment_reference, paid.payment_psp_reference) == (REFERENCE, "14226112")
        assert paid.booked_at == datetime(2026, 11, 22, 3, 35, tzinfo=UTC)
        assert (paid.payout, paid.status) == ("B7", RecordStatus.BOOKED)
        assert (refunded.kind, refunded.gross, refunded.fee, refunded.net) == (
            RecordKind.REFUND,
            Movement(-40_000, "VND"),
            Movement(0, "VND"),
            Movement(-40_000, "VND"),
        )
        assert (refunded.reference, refunded.psp_reference) == (CALL_REFERENCE, "15000001")
        assert refunded.payment_reference == REFERENCE
        assert refunded.raw == dict(zip(form.header, form.refunded, strict=True))

    @pytest.mark.parametrize(
        "dressed",
        [
            lambda text: BOM + text,
            lambda text: text.replace(b"\r\n", b"\n"),
            lambda text: text.replace(b"\r\n", b"\r"),
            lambda text: text.replace(b"14226112", b'"14226112"'),
            lambda text: text.replace(b"\r\n", b"\r\n\r\n"),
        ],
        ids=["BOM", "LF", "CR", "quotes", "empty lines"],
    )
    def test_may_have_been_in_a_spreadsheet(
        self, form: Form, dressed: Callable[[bytes], bytes]
    ) -> None:
        plain = form.file(form.paid, form.refunded)
        assert dressed(plain) != plain
        assert form.read(dressed(plain)) == form.read(plain)

    def test_may_have_its_columns_in_another_order(self, form: Form) -> None:
        rows = [list(reversed(row)) for row in (form.header, form.paid)]
        out = io.StringIO()
        csv.writer(out).writerows(rows)
        assert form.read(out.getvalue().encode()) == form.read(form.file(form.paid))

    def test_without_payments_has_only_its_header(self, form: Form) -> None:
        assert form.read(form.file()) == []

    def test_with_a_word_that_we_do_not_know_keeps_its_row(self, form: Form) -> None:
        (record,) = form.read(form.file(form.changed(form.word, "clawback")))
        assert (record.kind, record.word) == (RecordKind.UNKNOWN, "clawback")
        assert record.net == Movement(98_900, "VND")

    def test_may_give_a_fee_back(self, form: Form) -> None:
        fee = {"vnpay": ("FeeAmount", "-110000", "10110000"), "momo": ("fee", "-1100", "101100")}
        column, given, net = fee[form.name]
        row = form.changed(column, given)
        row[form.header.index(form.net)] = net
        (record,) = form.read(form.file(row))
        assert (record.fee, record.net) == (Movement(-1_100, "VND"), Movement(101_100, "VND"))


class TestARefusedFile:
    @pytest.mark.parametrize("content", [b"", BOM, b"\r\n\r\n", b"  \n"])
    def test_is_empty(self, form: Form, content: bytes) -> None:
        assert "empty" in refusal(form, content)

    def test_is_not_utf_8(self, form: Form) -> None:
        assert "UTF-8" in refusal(form, form.file(form.paid).decode().encode("utf-16"))

    def test_is_too_large(self, form: Form, monkeypatch: pytest.MonkeyPatch) -> None:
        content = form.file(form.paid)
        monkeypatch.setattr(settlement_file, "FILE_BYTES_MAX", len(content) - 1)
        assert "larger" in refusal(form, content)

    @pytest.mark.parametrize("length", [1, 2, 5, 20])
    def test_was_cut(self, form: Form, length: int) -> None:
        content = form.file(form.paid, form.refunded).replace(b"\r\n", b"\n")
        assert "cut" in refusal(form, content[:-length])

    def test_misses_a_column(self, form: Form) -> None:
        content = form.file(form.paid).replace(form.net.encode(), b"Tong tien", 1)
        assert f"misses '{form.net}'" in refusal(form, content)

    def test_has_a_column_too_many(self, form: Form) -> None:
        content = form.file(form.paid).replace(b"\r\n", b",Ghi chu\r\n", 1)
        assert "unknown 'Ghi chu'" in refusal(form, content)

    def test_has_a_column_twice(self, form: Form) -> None:
        content = form.file(form.paid).replace(b"\r\n", f",{form.amount}\r\n".encode(), 1)
        assert f"repeats '{form.amount}'" in refusal(form, content)

    def test_is_separated_by_semicolons(self, form: Form) -> None:
        assert "misses" in refusal(form, form.file(form.paid).replace(b",", b";"))

    def test_has_a_row_of_another_width(self, form: Form) -> None:
        assert "line 3: 1 cells" in refusal(form, form.file(form.paid, ["x"]))

    def test_has_quotes_that_do_not_end(self, form: Form) -> None:
        assert "no CSV" in refusal(form, form.file(form.paid) + b'"x\n')

    def test_tells_a_row_twice(self, form: Form) -> None:
        assert "14226112 stands in the file twice" in refusal(form, form.file(form.paid, form.paid))

    @pytest.mark.parametrize(
        "amount", ["10,000,000", "10.000.000", "1E+07", "10000000.0", " 10000000", "١٠٠", "", "+1"]
    )
    def test_has_an_amount_that_is_not_plain_digits(self, form: Form, amount: str) -> None:
        said = refusal(form, form.file(form.changed(form.amount, amount)))
        assert f"line 2, column {form.amount}" in said
        assert "digits alone" in said

    @pytest.mark.parametrize("cell", ["=1+1", "@SUM(A1)", "-2+3", '=HYPERLINK("http://x")', "\t1"])
    @pytest.mark.parametrize("column", ["reference", "number", "word"])
    def test_has_a_cell_that_became_a_formula(self, form: Form, cell: str, column: str) -> None:
        name = getattr(form, column)
        said = refusal(form, form.file(form.changed(name, cell)))
        assert f"line 2, column {name}" in said

    @pytest.mark.parametrize("column", ["reference", "number", "word"])
    def test_lacks_an_id(self, form: Form, column: str) -> None:
        name = getattr(form, column)
        assert f"column {name}: '' is empty" in refusal(form, form.file(form.changed(name, "")))

    def test_is_of_another_account(self, form: Form) -> None:
        said = refusal(form, form.file(form.paid, form.changed(form.account, "OTHER001")))
        assert f"line 3, column {form.account}: 'OTHER001'" in said

    def test_does_not_add_up(self, form: Form) -> None:
        said = refusal(form, form.file(form.changed(form.amount, "20000000")))
        assert "line 2: the amount is" in said

    def test_has_a_payment_that_goes_out(self, form: Form) -> None:
        row = list(form.refunded)
        row[form.header.index(form.word)] = {"vnpay": "01", "momo": "payment"}[form.name]
        assert "wrong way for a payment" in refusal(form, form.file(row))

    def test_has_a_refund_that_comes_in(self, form: Form) -> None:
        row = form.changed(form.word, {"vnpay": "02", "momo": "refund"}[form.name])
        assert "wrong way for a refund" in refusal(form, form.file(row))

    @pytest.mark.parametrize("moment", ["20261322103500", "-1", "99999999999999", "1795318500", ""])
    def test_has_a_moment_that_is_none(self, form: Form, moment: str) -> None:
        assert form.moment in refusal(form, form.file(form.changed(form.moment, moment)))

    def test_has_a_part_of_a_dong(self) -> None:
        row = VNPAY.changed("FeeAmount", "110050")
        assert "is no whole đồng" in refusal(VNPAY, VNPAY.file(row))


class TestAnyFile:
    @FEW
    @given(form=st.sampled_from(FORMS), content=st.binary(max_size=300))
    def test_is_read_or_refused(self, form: Form, content: bytes) -> None:
        for each in (content, form.file() + content + b"\n"):
            with suppress(ReportUnavailable):
                form.read(each)

    @FEW
    @given(form=st.sampled_from(FORMS), data=st.data())
    def test_with_any_cell_changed_adds_up_or_is_refused(
        self, form: Form, data: st.DataObject
    ) -> None:
        column = data.draw(st.sampled_from(form.header))
        cell = data.draw(st.one_of(st.text(max_size=20), st.integers().map(str)))
        with suppress(ReportUnavailable):
            found = form.read(form.file(form.changed(column, cell), form.refunded))
            assert len(found) == 2
            assert all(one.gross - one.fee == one.net for one in found)
