"""The two kinds of ids in the paths of the checkout pages."""

from uuid import UUID

from orders.links import link_token, read_link_token


class OrderLink:
    """An order's signed link token: a path with a bad signature leads nowhere."""

    regex = r"ord_[0-9a-f]{32}\.[0-9A-Za-z_-]{20,100}"

    def to_python(self, value: str) -> UUID:
        """The order's id; ValueError makes it a 404."""
        order_id = read_link_token(value)
        if order_id is None:
            raise ValueError("not a link of ours")
        return order_id

    def to_url(self, value: UUID) -> str:
        """The token of the order."""
        return link_token(value)


class Reference:
    """A payment as the gateways know it: 32 hex digits."""

    regex = r"[0-9a-f]{32}"

    def to_python(self, value: str) -> UUID:
        """The transaction's id."""
        return UUID(hex=value)

    def to_url(self, value: UUID) -> str:
        """Its digits without dashes."""
        return value.hex
