"""What the lists of payments can be narrowed to."""

from collections.abc import Iterable

from django.conf import settings

from backoffice.filters import RangeFilter, ValuesFilter
from orders.admin.amounts import amount
from payments.models import LedgerAccount


class MethodFilter(ValuesFilter):
    """How the shopper paid."""

    title = "method"
    parameter_name = "method"

    def values(self) -> Iterable[str]:
        """Every method of the settings."""
        return list(settings.METHOD_GATEWAYS)


class GatewayFilter(ValuesFilter):
    """Whose protocol it went by."""

    title = "gateway"
    parameter_name = "gateway"

    def values(self) -> Iterable[str]:
        """Every gateway of the settings."""
        return list(settings.GATEWAYS)


class CurrencyFilter(ValuesFilter):
    """Which money."""

    title = "currency"
    parameter_name = "currency"

    def values(self) -> Iterable[str]:
        """The currencies that have moved: the accounts are few, the payments are not."""
        used = LedgerAccount.objects.values_list("currency", flat=True)
        return sorted(set(used))


class AmountFilter(RangeFilter):
    """How much, in the units people write."""

    title = "amount"
    parameter = "amount"
    term = staticmethod(amount("amount"))
