"""What is kept of an HTTP exchange with a PSP: redacted, without personal data, and short."""

from collections.abc import Mapping
from typing import Final, cast

from gateways.http import HttpAnswer, NotSent, TransportError
from gateways.operation import Json
from gateways.outcome import Exchange, Outcome, OutcomeKind
from privacy.redaction import REDACTED, mask_text, redact

_TEXT_KEPT_MAX: Final = 2000


def record_exchange(
    request: Mapping[str, object], answer: HttpAnswer, personal: frozenset[str] = frozenset()
) -> Exchange:
    """The exchange as it may be stored.

    ``personal`` names the members of the answer that hold personal data; they are redacted
    wherever they stand.
    """
    content = answer.json()
    if content is None:
        text = mask_text(answer.body[:_TEXT_KEPT_MAX].decode(errors="replace"))
        content = {"text": text.replace("\0", "")}
    return Exchange(
        cast("Json", redact(request)),
        cast("Json", redact_personal(redact(content), personal)),
        answer.status,
        answer.duration_ms,
        answer.date,
    )


def record_failed_exchange(request: Mapping[str, object], error: TransportError) -> Exchange:
    """An exchange that had no usable answer."""
    response: Json = {"trouble": error.reason}
    return Exchange(cast("Json", redact(request)), response, None, error.duration_ms)


def read_transport_error(error: TransportError, request: Mapping[str, object]) -> Outcome:
    """NOT_DONE when nothing was sent; everything else may have happened: UNKNOWN."""
    kind = OutcomeKind.NOT_DONE if isinstance(error, NotSent) else OutcomeKind.UNKNOWN
    return Outcome(kind, exchange=record_failed_exchange(request, error))


def redact_personal(value: object, names: frozenset[str]) -> object:
    """``value`` with every non-empty member called one of ``names`` redacted, at any depth."""
    if isinstance(value, dict):
        return {
            name: REDACTED if name in names and item else redact_personal(item, names)
            for name, item in value.items()
        }
    return [redact_personal(item, names) for item in value] if isinstance(value, list) else value
