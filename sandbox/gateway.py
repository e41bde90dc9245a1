"""The seam: what a gateway is given, and what it must offer, to be emulated here.

``sandbox/vnpay`` is the smallest of them, to be read first.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aiohttp import web

    from sandbox.charges import Charges
    from sandbox.clock import Clock
    from sandbox.faults import Faults
    from sandbox.journal import Journal, Json
    from sandbox.rules import Rules
    from sandbox.settings import Settings
    from sandbox.webhooks import Attempt, Message, Webhooks


class ControlError(Exception):
    """A request of the control interface that cannot be done; the message says why."""


@dataclass(frozen=True, kw_only=True)
class SandboxContext:
    """The general parts, which know no gateway."""

    settings: Settings
    journal: Journal
    clock: Clock
    rules: Rules
    charges: Charges
    webhooks: Webhooks
    faults: Faults


@dataclass(frozen=True, kw_only=True)
class Guide:
    """What the page for people says about one gateway: magic words and what they do."""

    title: str
    pays_at: str
    magic: Sequence[tuple[str, str]]
    declines: Sequence[str]


class Gateway(ABC):
    """One gateway. It keeps its objects in tables of the journal that begin with its own name."""

    name: ClassVar[str]
    # Seconds between the tries of an unanswered webhook, after the first; its length limits them.
    retry_after_s: ClassVar[Sequence[float]]
    # How long after the step that caused it a webhook leaves, so that the API's answer usually
    # wins.
    webhook_lag_s: ClassVar[float] = 0.0

    def __init__(self, context: SandboxContext) -> None:
        """Subclasses read their keys in ``from_env`` and pass the context on."""
        self.context = context

    @classmethod
    @abstractmethod
    def from_env(cls, context: SandboxContext, env: Mapping[str, str]) -> Self | None:
        """Build the gateway, or None when its keys are missing and it is not emulated."""

    @abstractmethod
    def routes(self) -> Iterable[web.RouteDef]:
        """Its paths, as the real gateway has them; API calls go through ``context.faults``."""

    @abstractmethod
    def message(self, payload: Json, corrupt: str | None) -> Message:
        """Put a payload on the wire: address, fresh signature, and the corruption asked for."""

    @abstractmethod
    def acknowledged(self, attempt: Attempt) -> bool:
        """Whether this answer stops the retries."""

    @abstractmethod
    def decide(self, reference: str, decision: str) -> None:
        """Let a person decide a payment that waits. Raises ControlError when it does not wait."""

    @abstractmethod
    def dispute(self, psp_reference: str, outcome: str) -> Json:
        """Open a dispute, or close the open one. Raises ControlError when that cannot be."""

    @abstractmethod
    def fee(self, amount: int, currency: str) -> int:
        """What the gateway keeps of a captured amount, in ISO minor units."""

    def dispute_fee(self, currency: str) -> int:
        """What the gateway keeps for a dispute, in ISO minor units; most keep nothing."""
        return 0

    def settlement_file(self, day: str, lines: Sequence[Json]) -> str:
        """The daily file with these lines, where the gateway publishes one.

        Raises ControlError where it does not.
        """
        raise ControlError(
            f"{self.name} publishes no file: its API tells of {day} ({len(lines)} lines)."
        )

    @abstractmethod
    def guide(self) -> Guide:
        """What people should know to try it."""

    @abstractmethod
    def resume(self) -> None:
        """Schedule again, after a restart, whatever this gateway was waiting for."""
