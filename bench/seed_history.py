"""Writes a history of finished payments by plain SQL, so that tables have a realistic size.

Foreign keys and unique constraints are checked through indexes only where tables are large and
analysed; on empty ones every figure would flatter. The rows are whole: ``check_invariants``
finds nothing wrong with them.
"""

from contextlib import closing
from typing import Final

from bench.environment import Environment

# UUIDs of version 7, on every PostgreSQL that we run with: milliseconds first, the rest random.
NEW_ID: Final = """
CREATE OR REPLACE FUNCTION new_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')
        || '7' || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid
$$
"""

_PLAN: Final = """
CREATE TEMPORARY TABLE old AS
SELECT n, new_id() AS order_id, new_id() AS id, new_id() AS call_id, new_id() AS event_id,
    CASE WHEN mod(n, 2) = 0 THEN 'vnpay' ELSE 'stripe' END AS gateway,
    CASE WHEN mod(n, 2) = 0 THEN 'vnpay' ELSE 'card' END AS method,
    CASE WHEN mod(n, 2) = 0 THEN 'VND' ELSE 'USD' END AS currency,
    CASE WHEN mod(n, 2) = 0 THEN 125000 ELSE 1999 END AS amount,
    now() - interval '1 day' + n * interval '1 ms' AS at,
    (SELECT id FROM accounts_user WHERE username = 'shopper') AS customer
FROM generate_series(1, %(payments)s) AS n
"""

_ACCOUNTS: Final = """
INSERT INTO ledger_accounts (gateway, gateway_account, currency, kind)
SELECT g.gateway, 'before', g.currency, k.kind
FROM (VALUES ('vnpay', 'VND'), ('stripe', 'USD')) AS g (gateway, currency),
    (VALUES ('clearing'), ('revenue')) AS k (kind)
ON CONFLICT DO NOTHING
"""

_ORDERS: Final = """
INSERT INTO orders (id, customer_id, status, version, currency, total, amount_paid,
    amount_refunded, customer_email, customer_phone, locale, created_at)
SELECT order_id, customer, 'PENDING', 1, currency, amount, 0, 0,
    'old-' || n || '@demo.example', '', 'en', at
FROM old
"""

_TRANSACTIONS: Final = """
INSERT INTO transactions (id, order_id, client, status, version, amount, currency,
    amount_refunded, applied, method, channel, gateway, gateway_account, live_mode, capture,
    payment_token, customer_ip, locale, return_url, metadata, failure_code, failure_detail,
    psp_reference, psp_data, queries, cancel_code, attempt, failures, expires_at, created_at)
SELECT id, order_id, 'user:' || replace(customer::text, '-', ''), 'PENDING', 1, amount, currency,
    0, false, method, '', gateway, 'before', false, 'automatic', '', '127.0.0.1', 'en', '', '{}',
    '', '{}', '', '{}', 0, '', 1, 0, at + interval '15 minutes', at
FROM old
"""

_KEYS: Final = """
INSERT INTO idempotency_keys (id, client, key, fingerprint, transaction_id, response, request_id)
SELECT new_id(), 'user:' || replace(customer::text, '-', ''), 'old-' || n,
    encode(sha256(id::text::bytea), 'hex'), id, '{"id":"' || id || '"}', ''
FROM old
"""

_CALLS: Final = """
INSERT INTO gateway_calls (id, transaction_id, gateway, verb, reference, request, sends,
    first_sent_at, last_sent_at, answered_at, outcome, sent, received, created_at)
SELECT call_id, id, gateway, 'CREATE', replace(id::text, '-', ''), '{}', 1, at, at, at,
    'SUCCEEDED', '{}', '{}', at
FROM old
"""

_EVENTS: Final = """
INSERT INTO webhook_events (id, gateway, event_id, event_type, verified, state, refused_because,
    transaction_id, reference, psp_reference, body, query_string, headers, deliveries,
    received_at, applied_at, attempt, failures)
SELECT event_id, gateway, 'old-' || n, 'paid', true, 'APPLIED', '', id,
    replace(id::text, '-', ''), 'old-' || n, '', '', '{}', 1, at, at, 0, 0
FROM old
"""

_PROCESSING: Final = """
UPDATE transactions t SET status = 'PROCESSING', version = 2 FROM old WHERE t.id = old.id
"""

_SUCCESS: Final = """
UPDATE transactions t
SET status = 'SUCCESS', version = 3, amount_captured = t.amount, applied = true,
    psp_reference = 'old-' || n, ended_at = at
FROM old WHERE t.id = old.id
"""

_PAID: Final = """
UPDATE orders o SET status = 'PAID', version = 2, amount_paid = o.total
FROM old WHERE o.id = old.order_id
"""

_TRANSFERS: Final = """
INSERT INTO transfers (id, kind, debit_id, credit_id, amount, currency, transaction_id, created_at)
SELECT new_id(), 'capture', d.id, c.id, old.amount, old.currency, old.id, at
FROM old
JOIN ledger_accounts d ON (d.gateway, d.gateway_account, d.currency, d.kind)
    = (old.gateway, 'before', old.currency, 'clearing')
JOIN ledger_accounts c ON (c.gateway, c.gateway_account, c.currency, c.kind)
    = (old.gateway, 'before', old.currency, 'revenue')
"""

_NOTIFICATIONS: Final = """
INSERT INTO notifications (id, event_key, template, channel, recipient, locale, context,
    subject_id, title, text, sent_at, created_at, attempt, failures)
SELECT new_id(), 'payment.paid:' || replace(id::text, '-', ''), 'payment_paid', 'EMAIL',
    'old-' || n || '@demo.example', 'en', '{}', id, 'Paid', 'Paid', at, at, 1, 0
FROM old
"""

_AUDIT: Final = """
INSERT INTO audit_events (id, occurred_at, actor_kind, actor_id, action, subject_type,
    subject_id, version, before, after, cause_type, cause_id, request_id)
SELECT new_id(), at, 'system', '', e.action, e.subject_type,
    CASE e.subject_type WHEN 'order' THEN order_id ELSE id END, e.version,
    CASE WHEN e.before = '' THEN '{}' ELSE jsonb_build_object('status', e.before) END,
    jsonb_build_object('status', e.after, 'amount', amount, 'currency', currency,
        'gateway', gateway),
    CASE WHEN e.after = 'SUCCESS' THEN 'webhook' ELSE '' END,
    CASE WHEN e.after = 'SUCCESS' THEN event_id::text ELSE '' END, ''
FROM old, (VALUES
    ('order.created', 'order', 1, '', 'PENDING'),
    ('order.paid', 'order', 2, 'PENDING', 'PAID'),
    ('transaction.created', 'transaction', 1, '', 'PENDING'),
    ('transaction.processing', 'transaction', 2, 'PENDING', 'PROCESSING'),
    ('transaction.success', 'transaction', 3, 'PROCESSING', 'SUCCESS')
) AS e (action, subject_type, version, before, after)
"""

# Each is a commit of its own, and analysed where the next refer to it: foreign keys would else be
# checked, all at the end, by plans made for empty tables.
_ALL: Final = (
    NEW_ID, _PLAN, "ANALYZE old", _ACCOUNTS, _ORDERS, "ANALYZE orders", _TRANSACTIONS,
    "ANALYZE transactions", _KEYS, _CALLS, _EVENTS, _PROCESSING, _SUCCESS, _PAID,
    _TRANSFERS, _NOTIFICATIONS, _AUDIT,
)  # fmt: skip


def write_history(environment: Environment, *, payments: int) -> None:
    """Write ``payments`` finished payments into the product's database, and analyse it."""
    with closing(environment.connect()) as connection, connection.cursor() as at:
        at.execute("SET statement_timeout = 0")
        for statement in _ALL:
            at.execute(statement, {"payments": payments})
        at.execute("VACUUM ANALYZE")
