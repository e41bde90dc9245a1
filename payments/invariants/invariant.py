"""What an invariant is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Invariant:
    """``says`` is one sentence; ``query`` finds what contradicts it.

    ``at_rest`` ones hold only once nothing is under way any more.
    """

    id: str
    says: str
    query: str
    at_rest: bool = False
