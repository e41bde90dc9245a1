"""Does our VNPAY signing agree with a published vector?"""

from collections.abc import Mapping
from typing import Final

from gateways.vnpay import signing
from tests.gateways.local_server import LocalServer
from tests.gateways.vector_checks.rows import Check, Row, is_negative

_SAME_ENCODER: Final = "python_quote_plus_gives_same_canonical"
_FIELDS: Final = {
    "querydr_request": signing.QUERY_FIELDS,
    "querydr_response": signing.QUERY_ANSWER_FIELDS,
    "refund_request": signing.REFUND_FIELDS,
    "refund_response": signing.REFUND_ANSWER_FIELDS,
}


def check_pay_url(row: Row, section: Row, server: LocalServer) -> None:
    signature = signing.sign(row["canonical"], row["secret"])
    if is_negative(row):
        assert signature != row["expected_signature"]
        return
    assert signature == row["expected_signature"]
    if _is_unlike_ours(row):
        return
    params = _texts(row["params"])
    assert signing.canonical_query(params) == row["canonical"]
    if "expected_url" in row:
        base_url = row["expected_url"].partition("?")[0]
        assert signing.signed_url(base_url, params, row["secret"]) == row["expected_url"]


def _is_unlike_ours(row: Row) -> bool:
    """Whether its text holds what our links never do: disputed characters, or empty values."""
    pairs = row["canonical"].split("&")
    empty = [name for name, value in row["params"].items() if value == "" and f"{name}=" in pairs]
    return bool(empty) or not row.get(_SAME_ENCODER, True)


def check_result(row: Row, section: Row, server: LocalServer) -> None:
    """An IPN or a return: genuine as it is, and nothing once a digit of it has changed."""
    secret, signature = row["secret"], row["expected_signature"]
    query_string = row.get("query_string") or f"{row['canonical']}&vnp_SecureHash={signature}"
    if is_negative(row):
        assert signing.verified_params(query_string, [secret]) is None
        return
    assert signing.sign(row["canonical"], secret) == signature
    found = signing.verified_params(query_string, [secret])
    assert found is not None
    assert _not_empty(found) == _not_empty(row["params"])
    assert signing.verified_params(query_string, ["another" + secret]) is None
    altered = query_string.replace("vnp_Amount=", "vnp_Amount=1", 1)
    assert signing.verified_params(altered, [secret]) is None


def _not_empty(params: Row) -> Row:
    hidden = signing.HASH_FIELDS
    return {name: value for name, value in _texts(params).items() if value and name not in hidden}


def _texts(params: Row) -> dict[str, str]:
    """Some files write whole numbers as numbers."""
    return {name: str(value) for name, value in params.items()}


def check_call(row: Row, section: Row, server: LocalServer) -> None:
    fields = _FIELDS[row["operation"]]
    assert list(fields) == row.get("field_order", list(fields))
    text = signing.joined(fields, _texts(row["params"]))
    if is_negative(row):
        assert not signing.is_signed(text, row["expected_signature"], [row["secret"]])
        return
    assert text == row["canonical"]
    assert signing.sign(text, row["secret"]) == row["expected_signature"]
    assert signing.is_signed(text, row["expected_signature"].upper(), [row["secret"]])
    assert not signing.is_signed(text + "x", row["expected_signature"], [row["secret"]])


CHECKS: Final[Mapping[str, Check]] = {
    "pay_url": check_pay_url,
    "ipn_or_return": check_result,
    **dict.fromkeys(_FIELDS, check_call),
}
