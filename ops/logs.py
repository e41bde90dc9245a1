"""Log lines: JSON in production, plain text elsewhere, without secrets.

Every line has the id of its request and its actor. Masking is the last step, so that no call site
can forget it.
"""

import logging
import re
from typing import Any, Final

import structlog
from structlog.typing import EventDict, Processor

from audit.context import current_actor, current_request_id
from privacy.redaction import REDACTED, redact_object

# What a LogRecord holds besides what the call site gave as ``extra``.
_SHARED: Final[list[Processor]] = [
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]

# PostgreSQL quotes the whole row that broke a constraint: addresses, phones, tokens.
_QUOTED_ROW: Final = re.compile(r"^(DETAIL:|CONTEXT:).*$", re.MULTILINE)


def logging_config(*, level: str, as_json: bool) -> dict[str, Any]:
    """The ``LOGGING`` setting."""
    last: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": _SHARED,
        "processors": [
            _without_request,
            _add_context,
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            mask,
            last,
        ],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": formatter},
        "handlers": {"stdout": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stdout"], "level": level},
        # One line for each task that was received and one for its end is noise at thousands of
        # payments a minute; its failures are logged by another logger.
        "loggers": {
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            "axes": {"level": "WARNING"},
            # The SDK logs each call twice; the row of the gateway call holds more.
            "stripe": {"level": "WARNING"},
        },
    }


def mask(_logger: logging.Logger, _method: str, event: EventDict) -> EventDict:
    """Take secrets and card numbers out of every member of a line, and rows out of tracebacks."""
    if "exception" in event:
        event["exception"] = _QUOTED_ROW.sub(rf"\1 {REDACTED}", str(event["exception"]))
    return redact_object(event)


def _without_request(_logger: logging.Logger, _method: str, event: EventDict) -> EventDict:
    """Django attaches the request object; its path is in the message already, and masked there."""
    event.pop("request", None)
    return event


def _add_context(_logger: logging.Logger, _method: str, event: EventDict) -> EventDict:
    if current_request_id():
        event["request_id"] = current_request_id()
        event["actor"] = current_actor().kind
    return event
