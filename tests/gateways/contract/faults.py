"""What can break on the wire of a call, and the words that leave its outcome open."""

from typing import Final

from gateways.outcome import OutcomeKind

# The call was not done, or nobody can say: whichever, it is asked again.
OPEN: Final = frozenset({OutcomeKind.UNKNOWN, OutcomeKind.NOT_DONE})

BEFORE: Final = ("refuse", "timeout_before", "http_500", "http_429", "garbage")
AFTER: Final = ("timeout_after", "reset_after", "cut_body", "http_500_after")
FAULTS: Final = (*BEFORE, *AFTER)
SLOW: Final = "slow:200"

NONSENSE: Final = (b"", b"{}", b"[]", b"null", b"<html>", b"\xff\xfe", b"{" * 9999)
