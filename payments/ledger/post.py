"""Transfers between accounts. The ledger only grows; a mistake is mended by another transfer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from durable import bulk
from money.money import Money
from payments.models import AccountKind, LedgerAccount, Transaction, Transfer, TransferKind

_Place = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class CapturePosting:
    """The gateway now owes us ``money``.

    A success that pays its order is revenue; one that pays nothing waits in suspense.
    """

    transaction: Transaction
    money: Money
    applied: bool

    @property
    def debit(self) -> _Place:
        """The account that is owed more by it."""
        return self._place(AccountKind.CLEARING)

    @property
    def credit(self) -> _Place:
        """The account that it is for."""
        return self._place(AccountKind.REVENUE if self.applied else AccountKind.SUSPENSE)

    def _place(self, kind: AccountKind) -> _Place:
        row = self.transaction
        return row.gateway, row.gateway_account, self.money.currency, kind


def post_captures(captures: Sequence[CapturePosting]) -> None:
    """Write a transfer for each of ``captures``, in one statement."""
    if captures:
        accounts = _accounts({place for one in captures for place in (one.debit, one.credit)})
        bulk.insert([_transfer(one, accounts) for one in captures])


def _transfer(capture: CapturePosting, accounts: Mapping[_Place, int]) -> Transfer:
    return Transfer(
        kind=TransferKind.CAPTURE,
        debit_id=accounts[capture.debit],
        credit_id=accounts[capture.credit],
        amount=capture.money.minor,
        currency=capture.money.currency,
        transaction=capture.transaction,
    )


def _accounts(places: set[_Place]) -> Mapping[_Place, int]:
    """The ids of the accounts; each is opened at its first use."""
    # All of the gateways in question: a handful of rows, and one query for a whole batch.
    known = LedgerAccount.objects.filter(gateway__in={gateway for gateway, *_ in places})
    fields = ("gateway", "gateway_account", "currency", "kind")
    found: dict[_Place, int] = {
        (gateway, account, currency, kind): pk
        for pk, gateway, account, currency, kind in known.values_list("pk", *fields)
    }
    for place in places - found.keys():
        found[place] = _open_account(*place)
    return found


def _open_account(gateway: str, gateway_account: str, currency: str, kind: str) -> int:
    account, _ = LedgerAccount.objects.get_or_create(
        gateway=gateway, gateway_account=gateway_account, currency=currency, kind=kind
    )
    return account.pk
