"""What the tests of the pages share: a guest's order and its link."""

import pytest

from orders.links import link_token
from orders.models import Order
from tests.factories import OrderFactory


@pytest.fixture
def order() -> Order:
    """A guest's order of one coffee for 150,000 ₫."""
    return OrderFactory.create(customer=None)


@pytest.fixture
def link(order: Order) -> str:
    """The path of its pay page."""
    return f"/checkout/{link_token(order.pk)}"
