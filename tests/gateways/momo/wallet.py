"""Our account at MoMo in these tests (MoMo's own published test keys), and MoMo's answers."""

from typing import Final

from gateways.operation import Json
from tests.gateways.samples import CALL_REFERENCE, REFERENCE

OPTIONS: Final = {
    "partner_code": "MOMO",
    "access_key": "F8BBA842ECF85",
    "secret_key": "K951B6PE1waDMi640xX08PD3vg6EkVlz",
}


def content(code: object, **changes: object) -> Json:
    """An answer: a code, its echoes, and whatever a test changes."""
    echo: Json = {
        "partnerCode": "MOMO",
        "orderId": REFERENCE,
        "requestId": CALL_REFERENCE,
        "amount": 100_000,
        "responseTime": 1_700_000_000_000,
        "message": "Thành công.",
        "resultCode": code,
    }
    return {**echo, **changes}
