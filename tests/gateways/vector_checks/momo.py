"""Does our MoMo signing agree with a published vector?"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from gateways.momo import signing
from gateways.momo.config import Keys
from tests.gateways.local_server import LocalServer
from tests.gateways.vector_checks.rows import Check, Row, is_negative

_FIELDS: Final = {
    "create_request": signing.CREATE_FIELDS,
    "query_request": signing.QUERY_FIELDS,
    "refund_request": signing.REFUND_FIELDS,
    "refund_query_request": signing.QUERY_FIELDS,
    "confirm_request": signing.CONFIRM_FIELDS,
}


def check_request(row: Row, section: Row, server: LocalServer) -> None:
    keys, fields = Keys(row["access_key"], row["secret"]), _FIELDS[row["operation"]]
    signature = signing.sign(fields, row["params"], keys)
    if is_negative(row):
        assert signature != row["expected_signature"]
        return
    assert signing.canonical(fields, row["params"], keys.access_key) == row["canonical"]
    assert signature == row["expected_signature"]


def check_result(row: Row, section: Row, server: LocalServer) -> None:
    """A notification or a return, as a body and, where it came so, as a query string."""
    keys = Keys(row["access_key"], row["secret"])
    other = Keys(row["access_key"], "another" + row["secret"])
    shapes = [{**row["params"], "signature": row["expected_signature"]}]
    if row.get("query_string"):
        shapes.append(dict(parse_qsl(row["query_string"], keep_blank_values=True)))
    if is_negative(row):
        assert not any(signing.is_genuine(shape, [keys]) for shape in shapes)
        return
    shapes.append({**row["params"], "signature": row["expected_signature"].upper()})
    for shape in shapes:
        assert signing.is_genuine(shape, [other, keys])
        assert not signing.is_genuine(shape, [other])
        assert not signing.is_genuine({**shape, "amount": "1"}, [keys])


def check_link(row: Row, section: Row, server: LocalServer) -> None:
    """The answer to a create, where somebody has seen it signed."""
    keys = Keys(row["access_key"], row["secret"])
    signed = {**row["params"], "signature": row["expected_signature"]}
    assert signing.is_genuine_link(signed, [keys]) is not is_negative(row)
    assert not signing.is_genuine_link({**signed, "payUrl": "https://momo.vn/other"}, [keys])


CHECKS: Final[Mapping[str, Check]] = {
    "ipn_or_redirect": check_result,
    "create_response": check_link,
    **dict.fromkeys(_FIELDS, check_request),
}
