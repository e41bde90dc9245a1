"""Where the money is: amounts, currencies, orders, the ledger."""

from typing import Final

from payments.invariants.invariant import Invariant

MONEY: Final = (
    Invariant(
        "I01",
        "A transfer moves a positive amount between two accounts of one gateway and currency.",
        """
        SELECT t.id, format('%%s %%s', t.amount, t.currency)
        FROM transfers t
        LEFT JOIN ledger_accounts d ON d.id = t.debit_id
        LEFT JOIN ledger_accounts c ON c.id = t.credit_id
        WHERE t.amount <= 0 OR t.debit_id = t.credit_id OR d.id IS NULL OR c.id IS NULL
            OR (d.currency, d.gateway, d.gateway_account)
                IS DISTINCT FROM (t.currency, c.gateway, c.gateway_account)
            OR c.currency <> t.currency
        """,
    ),
    Invariant(
        "I04",
        "At most one success pays an order.",
        """
        SELECT order_id, format('%%s applied successes', count(*))
        FROM transactions WHERE status = 'SUCCESS' AND applied
        GROUP BY order_id HAVING count(*) > 1
        """,
    ),
    Invariant(
        "I05",
        "An order is paid exactly when one applied success captured what it says was paid.",
        """
        SELECT o.id, format('%%s, paid %%s, captured %%s', o.status, o.amount_paid, t.captured)
        FROM orders o
        LEFT JOIN (
            SELECT order_id, count(*) AS successes, sum(amount_captured) AS captured,
                sum(amount_refunded) AS refunded, min(currency) AS currency
            FROM transactions WHERE status = 'SUCCESS' AND applied GROUP BY order_id
        ) t ON t.order_id = o.id
        WHERE (o.status = ANY(%(order_paid)s)) <> (coalesce(t.successes, 0) = 1)
            OR o.amount_paid <> coalesce(t.captured, 0)
            OR o.amount_refunded <> coalesce(t.refunded, 0)
            OR t.currency <> o.currency
        """,
    ),
    Invariant(
        "I06",
        "A success names its amount and a reference of the gateway that is no other payment's.",
        """
        SELECT id, 'no reference or no amount'
        FROM transactions
        WHERE status = 'SUCCESS' AND (psp_reference = '' OR amount_captured IS NULL)
        UNION ALL
        SELECT min(id::text)::uuid, format('%%s payments share %%s', count(*), psp_reference)
        FROM transactions WHERE psp_reference <> ''
        GROUP BY gateway, gateway_account, psp_reference HAVING count(*) > 1
        """,
    ),
    Invariant(
        "I07",
        "No more is refunded than was captured, and no more captured than was asked for.",
        """
        SELECT id, format('%%s refunded, %%s captured, %%s asked',
            amount_refunded, amount_captured, amount)
        FROM transactions
        WHERE amount <= 0 OR amount_refunded < 0
            OR amount_refunded > coalesce(amount_captured, 0)
            OR coalesce(amount_captured, 0) > amount
        UNION ALL
        SELECT id, format('%%s refunded, %%s paid, %%s owed', amount_refunded, amount_paid, total)
        FROM orders WHERE amount_refunded > amount_paid OR amount_paid > total
        """,
    ),
    Invariant(
        "I08",
        "A success has one capture of its amount on the right ledger accounts; others have none.",
        """
        SELECT t.id, format('%%s, %%s captures', t.status, count(c.id))
        FROM transactions t
        LEFT JOIN transfers c ON c.transaction_id = t.id AND c.kind = 'capture'
        LEFT JOIN ledger_accounts d ON d.id = c.debit_id
        LEFT JOIN ledger_accounts k ON k.id = c.credit_id
        GROUP BY t.id
        HAVING (t.status = 'SUCCESS')::int <> count(c.id)
            OR bool_or((c.amount, c.currency) IS DISTINCT FROM (t.amount_captured, t.currency)
                OR (d.kind, d.gateway, d.gateway_account)
                    IS DISTINCT FROM ('clearing', t.gateway, t.gateway_account)
                OR k.kind IS DISTINCT FROM CASE WHEN t.applied THEN 'revenue' ELSE 'suspense' END)
                FILTER (WHERE c.id IS NOT NULL)
        """,
    ),
    Invariant(
        "I09",
        "One currency from the order to the ledger.",
        """
        SELECT t.id, format('%%s, order %%s', t.currency, o.currency)
        FROM transactions t JOIN orders o ON o.id = t.order_id
        WHERE t.currency <> o.currency
        UNION ALL
        SELECT t.id, format('%%s, transfer %%s', t.currency, f.currency)
        FROM transactions t JOIN transfers f ON f.transaction_id = t.id
        WHERE t.currency <> f.currency
        """,
    ),
    Invariant(
        "R01",
        "At most one payment of an order is live.",
        """
        SELECT order_id, format('%%s live payments', count(*))
        FROM transactions WHERE status = ANY(%(live)s)
        GROUP BY order_id HAVING count(*) > 1
        """,
    ),
    Invariant(
        "R02",
        "A success that pays no order has had a case.",
        """
        SELECT t.id, format('%%s %%s in suspense', t.amount_captured, t.currency)
        FROM transactions t
        WHERE t.status = 'SUCCESS' AND NOT t.applied AND NOT EXISTS (
            SELECT FROM cases c WHERE c.transaction_id = t.id)
        """,
    ),
)
