"""MoMo's notification (IPN): a JSON body that is signed over the values as they were printed."""

import hashlib
import json
from datetime import datetime
from typing import Final, cast

from gateways.foreign_json import read_json_object
from gateways.momo.config import Config
from gateways.momo.responses import read_result
from gateways.momo.signing import RESULT_FIELDS, is_genuine, sign
from gateways.operation import Json
from gateways.webhook import Answer, Delivery, Notice, WebhookRefused, make_answers

# What identifies an event: MoMo gives ids to payments, not to notifications.
_EVENT_FIELDS: Final = ("orderId", "requestId", "transId", "resultCode", "amount")
# MoMo expects 204 within 15 s for whatever we have stored. Its retries are not documented, so
# nothing depends on them; asking for one costs nothing where we could not apply the event.
ANSWERS: Final = make_answers(stored=Answer(204))


def read(delivery: Delivery, config: Config) -> tuple[Notice, ...]:
    """The one event of a delivery. Raises ``WebhookRefused``."""
    fields = _read_fields(delivery.body)
    if not is_genuine(fields, config.keys):
        raise WebhookRefused("the signature fits none of our keys")
    outcome = read_result(fields)
    return (
        Notice(
            event_id=_event_id(fields),
            event_type=f"ipn.{fields.get('resultCode')}",
            reference=outcome.reference,
            psp_reference=outcome.psp_reference,
            outcome=outcome,
        ),
    )


def sample(config: Config, now: datetime) -> Delivery:
    """A notification about no payment."""
    fields: Json = {
        "partnerCode": config.partner_code,
        "orderId": "sample",
        "resultCode": 99,
        "responseTime": int(now.timestamp() * 1000),
    }
    signed = {**fields, "signature": sign(RESULT_FIELDS, fields, config.keys[0])}
    return Delivery(body=json.dumps(signed).encode(), query_string="", headers={}, received_at=now)


def _read_fields(body: bytes) -> Json:
    if read_json_object(body) is None:
        raise WebhookRefused("the body is no JSON object")
    # Numbers stay as they were printed, because that is what was signed.
    return cast("Json", json.loads(body, parse_int=str, parse_float=str))


def _event_id(fields: Json) -> str:
    facts = json.dumps([str(fields.get(name, "")) for name in _EVENT_FIELDS])
    return hashlib.sha256(facts.encode()).hexdigest()
