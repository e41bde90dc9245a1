"""The ways into MoMo: what each is called there, what it takes, and which one a payment goes by."""

from dataclasses import dataclass
from typing import Final

from gateways.operation import Intent


@dataclass(frozen=True, slots=True)
class Door:
    """``limits`` are the smallest and the largest amount of one payment, in đồng.

    ``refunds`` are those of one refund. ``can_hold``: it knows ``autoCapture: false``.
    """

    limits: tuple[int, int]
    refunds: tuple[int, int]
    can_hold: bool


WALLET: Final = "captureWallet"
ATM: Final = "payWithATM"
CARD: Final = "payWithCC"
CHOOSE_THERE: Final = "payWithMethod"

# Their requestType -> what goes through that door.
DOORS: Final[dict[str, Door]] = {
    WALLET: Door((1_000, 50_000_000), refunds=(1_000, 50_000_000), can_hold=True),
    ATM: Door((10_000, 50_000_000), refunds=(10_000, 50_000_000), can_hold=False),
    CARD: Door((1_000, 10_000_000), refunds=(1_000, 50_000_000), can_hold=True),
    # MoMo's page shows what takes the amount. A hold goes to the wallet, see ``request_type``.
    CHOOSE_THERE: Door((1_000, 50_000_000), refunds=(1_000, 50_000_000), can_hold=True),
}
# payType of a payment that a card made -> the door that it took in the end.
_DOOR_TAKEN: Final[dict[str, str]] = {"napas": ATM, "credit": CARD}
# Our channels of the method "momo" -> their requestType.
CHANNELS: Final[dict[str, str]] = {"wallet": WALLET, "atm": ATM, "card": CARD}


def door_of(method: str, channel: str, default: str) -> Door:
    """What holds for ``channel`` of ``method``; ``default`` is the requestType of no channel."""
    return DOORS[request_type(method, channel, default)]


def refund_limits(intent: Intent, default: str) -> tuple[int, int]:
    """Smallest and largest refund of a payment, by how it was paid where MoMo has said so."""
    taken = _DOOR_TAKEN.get(intent.psp_data.get("pay_type", ""))
    return (DOORS[taken] if taken else door_of(intent.method, intent.channel, default)).refunds


def request_type(method: str, channel: str, default: str, *, holds: bool = False) -> str:
    """Their requestType for a payment. Raises KeyError for a channel that there is not."""
    if method == "card":
        return CARD
    wanted = CHANNELS[channel] if channel else default
    # Of the doors on the page where the shopper chooses, one cannot hold money: so nobody chooses.
    return WALLET if holds and wanted == CHOOSE_THERE else wanted
