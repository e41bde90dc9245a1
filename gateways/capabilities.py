"""What a gateway declares that it can do."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class SettlementSource(StrEnum):
    """Where a gateway's settlement records come from."""

    API = "API"  # ``Gateway.settlement_records``
    FILE = "FILE"  # one file a day: ``Gateway.read_settlement_file``


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a gateway can do; the API and the pages offer only this.

    ``limits``: each currency that is taken -> the smallest and the largest amount in ISO minor
    units, over all channels. ``steps``: currency -> the number of minor units that every amount
    must be a multiple of, where that is not 1. ``channels``: method -> the channels that the pages
    offer. ``channel_codes``: method -> the pattern of further channels, codes of the gateway's own,
    that only the API takes. ``needs_token`` and ``takes_token`` are about ``payment_token``.
    """

    limits: Mapping[str, tuple[int, int]]
    methods: frozenset[str]
    steps: Mapping[str, int] = field(default_factory=dict)
    channels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    channel_codes: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    manual_capture: bool = False
    partial_capture: bool = False
    void: bool = False
    refund: bool = False
    partial_refund: bool = False
    close: bool = False  # an unpaid page can be ended
    qr: bool = False
    takes_token: bool = False
    needs_token: bool = False
    settlement: SettlementSource | None = None  # where its settlement records come from
    payouts: bool = False  # can be listed, each with the records that it carries
    disputes: bool = False  # can be read by us

    def can_divide(self, minor: int, currency: str) -> bool:
        """Whether ``minor`` units can be expressed in the gateway's own scale."""
        return minor % self.steps.get(currency, 1) == 0
