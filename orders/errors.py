"""What can go wrong with an order, each with a stable code."""


class OrderError(Exception):
    """The root. ``code`` is for programs, ``detail`` tells a person how to mend it."""

    code = "order_error"
    status = 422
    field = ""

    def __init__(self, detail: str, *, field: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field or self.field


class OrderNotFound(OrderError):
    """Unknown, or somebody else's: the answer is the same."""

    code = "not_found"
    status = 404


class InvalidLine(OrderError):
    """A line that cannot be sold: unknown product, other currency, silly quantity."""

    code = "invalid_line"
    field = "lines"


class OrderNotCancellable(OrderError):
    """Only an unpaid order can be cancelled."""

    code = "not_cancellable"
    status = 409


class OrderAlreadyPaid(OrderError):
    """It is paid; give the money back by a refund."""

    code = "already_paid"
    status = 409
