"""Transfers between accounts. The ledger only grows; a mistake is mended by another transfer."""

from orders.money import Money
from payments.models import AccountKind, LedgerAccount, Transaction, Transfer, TransferKind


def capture(transaction: Transaction, money: Money, *, applied: bool) -> Transfer:
    """An unsaved transfer: the gateway now owes us ``money``.

    A success that pays its order is revenue; one that pays nothing waits in suspense.
    """
    target = AccountKind.REVENUE if applied else AccountKind.SUSPENSE
    return Transfer(
        kind=TransferKind.CAPTURE,
        debit_id=_account_id(transaction, AccountKind.CLEARING),
        credit_id=_account_id(transaction, target),
        amount=money.minor,
        currency=money.currency,
        transaction=transaction,
    )


def post(transfers: list[Transfer]) -> None:
    """Write ``transfers`` in one statement."""
    Transfer.objects.bulk_create(transfers)


def _account_id(transaction: Transaction, kind: AccountKind) -> int:
    return account_id(transaction.gateway, transaction.gateway_account, transaction.currency, kind)


def account_id(gateway: str, gateway_account: str, currency: str, kind: AccountKind) -> int:
    """The account's id; the account is opened at its first use."""
    account, _ = LedgerAccount.objects.get_or_create(
        gateway=gateway, gateway_account=gateway_account, currency=currency, kind=kind
    )
    return account.pk
