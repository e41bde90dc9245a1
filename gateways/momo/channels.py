"""The ways into MoMo: what each is called there, what it takes, and which one a payment goes by."""

from dataclasses import dataclass
from typing import Final

from gateways.operation import PaymentDetails


@dataclass(frozen=True, slots=True)
class Channel:
    """``limits`` are the smallest and the largest amount of one payment, in đồng.

    ``refunds`` are those of one refund. ``can_hold``: it knows ``autoCapture: false``.
    """

    limits: tuple[int, int]
    refunds: tuple[int, int]
    can_hold: bool


WALLET: Final = "captureWallet"
ATM: Final = "payWithATM"
CARD: Final = "payWithCC"
HOSTED_CHOICE: Final = "payWithMethod"

# Their requestType -> what goes by that channel.
BY_REQUEST_TYPE: Final[dict[str, Channel]] = {
    WALLET: Channel((1_000, 50_000_000), refunds=(1_000, 50_000_000), can_hold=True),
    ATM: Channel((10_000, 50_000_000), refunds=(10_000, 50_000_000), can_hold=False),
    CARD: Channel((1_000, 10_000_000), refunds=(1_000, 50_000_000), can_hold=True),
    # MoMo's page shows what takes the amount. A hold goes to the wallet, see ``request_type``.
    HOSTED_CHOICE: Channel((1_000, 50_000_000), refunds=(1_000, 50_000_000), can_hold=True),
}
# payType of a payment that a card made -> the channel that it took in the end.
_CHANNEL_BY_PAY_TYPE: Final[dict[str, str]] = {"napas": ATM, "credit": CARD}
# Our channels of the method "momo" -> their requestType.
REQUEST_TYPES: Final[dict[str, str]] = {"wallet": WALLET, "atm": ATM, "card": CARD}


def find_channel(method: str, channel: str, default: str) -> Channel:
    """What holds for ``channel`` of ``method``; ``default`` is the requestType of no channel."""
    return BY_REQUEST_TYPE[request_type(method, channel, default)]


def refund_limits(details: PaymentDetails, default: str) -> tuple[int, int]:
    """Smallest and largest refund of a payment, by how it was paid where MoMo has said so."""
    taken = _CHANNEL_BY_PAY_TYPE.get(details.psp_data.get("pay_type", ""))
    return (
        BY_REQUEST_TYPE[taken] if taken else find_channel(details.method, details.channel, default)
    ).refunds


def request_type(method: str, channel: str, default: str, *, holds: bool = False) -> str:
    """Their requestType for a payment. Raises KeyError for a channel that there is not."""
    if method == "card":
        return CARD
    wanted = REQUEST_TYPES[channel] if channel else default
    # One of the channels on the page where the shopper chooses cannot hold money: nobody chooses.
    return WALLET if holds and wanted == HOSTED_CHOICE else wanted
