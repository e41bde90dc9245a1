"""The floor: the same durable rows by plain SQL, with the fewest commits that keep the promises.

Three commits a payment, because three things must be known before the next may happen: the
payment exists, it is about to be sent, it has succeeded. Each commit is one prepared statement
in one round trip. That the mail was sent is written for fifty payments at once. The rows are as
large as the product's: their contents are copied from payments that it has just made.
"""

import json
import queue
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from typing import Any, Final
from uuid import UUID, uuid4

from psycopg2.extensions import connection, cursor

from bench.environment import BASELINE_DATABASE, Environment
from bench.figures import per_minute
from bench.orders import MIX, Kind, make_orders

CONNECTIONS_TRIED: Final = (4, 8, 16, 32)
TRIAL_PAYMENTS: Final = 800
MAILS_TOGETHER: Final = 50

# The rows of a finished payment of the product, as parameters for the statements below.
_SAMPLE: Final = """
SELECT row_to_json(t), row_to_json(k), row_to_json(c), row_to_json(w), row_to_json(n)
FROM transactions t
JOIN idempotency_keys k ON k.transaction_id = t.id
JOIN gateway_calls c ON c.transaction_id = t.id AND c.verb = 'CREATE'
JOIN webhook_events w ON w.transaction_id = t.id
JOIN notifications n ON n.subject_id = t.id
WHERE t.gateway = %s AND t.status = 'SUCCESS' AND k.key LIKE 'bench-%%'
ORDER BY t.created_at DESC LIMIT 1
"""

# One row for each gateway; the statements take everything but ids from here.
_SAMPLES_TABLE: Final = """
CREATE TABLE sample (gateway text PRIMARY KEY, t transactions, k idempotency_keys,
    c gateway_calls, w webhook_events, n notifications, debit bigint, credit bigint)
"""
_SAMPLES_ROW: Final = """
INSERT INTO sample
SELECT %(gateway)s, json_populate_record(NULL::transactions, %(t)s),
    json_populate_record(NULL::idempotency_keys, %(k)s),
    json_populate_record(NULL::gateway_calls, %(c)s),
    json_populate_record(NULL::webhook_events, %(w)s),
    json_populate_record(NULL::notifications, %(n)s),
    (SELECT id FROM ledger_accounts WHERE gateway = %(gateway)s AND kind = 'clearing'),
    (SELECT id FROM ledger_accounts WHERE gateway = %(gateway)s AND kind = 'revenue')
"""

_CREATE: Final = """
PREPARE create_payment (text, uuid, uuid, text) AS
WITH s AS (SELECT * FROM sample WHERE gateway = $1),
o AS (SELECT id FROM orders WHERE id = $2 AND status = 'PENDING' FOR NO KEY UPDATE),
k AS (
    INSERT INTO idempotency_keys (id, client, key, fingerprint, transaction_id, response,
        request_id)
    SELECT new_id(), (k).client, $4, (k).fingerprint, $3, (k).response, (k).request_id FROM s
),
a AS (
    INSERT INTO audit_events (id, actor_kind, actor_id, action, subject_type, subject_id,
        version, before, after, cause_type, cause_id, request_id)
    SELECT new_id(), 'user', (t).client, 'transaction.created', 'transaction', $3, 1, '{}',
        jsonb_build_object('status', 'PENDING', 'order', $2, 'amount', (t).amount,
            'currency', (t).currency, 'method', (t).method, 'gateway', (t).gateway),
        '', '', (k).request_id
    FROM s
)
INSERT INTO transactions (id, order_id, client, status, version, amount, currency,
    amount_refunded, applied, method, channel, gateway, gateway_account, live_mode, capture,
    payment_token, customer_ip, locale, return_url, metadata, failure_code, failure_detail,
    psp_reference, psp_data, queries, cancel_code, attempt, failures, expires_at, created_at,
    due_at)
SELECT $3, o.id, (t).client, 'PENDING', 1, (t).amount, (t).currency, 0, false, (t).method, '',
    (t).gateway, (t).gateway_account, (t).live_mode, (t).capture, '', (t).customer_ip,
    (t).locale, (t).return_url, (t).metadata, '', '{}', '', '{}', 0, '', 0, 0,
    now() + interval '15 minutes', now(), now()
FROM s, o
"""

_SEND: Final = """
PREPARE send_payment (text, uuid, uuid, text) AS
WITH s AS (SELECT * FROM sample WHERE gateway = $1),
t AS (
    UPDATE transactions SET status = 'PROCESSING', version = 2, attempt = 1,
        lease_until = now() + interval '1 minute', updated_at = now()
    WHERE id = $2
),
a AS (
    INSERT INTO audit_events (id, actor_kind, actor_id, action, subject_type, subject_id,
        version, before, after, cause_type, cause_id, request_id)
    SELECT new_id(), 'system', '', 'transaction.processing', 'transaction', $2, 2,
        '{"status": "PENDING"}', jsonb_build_object('status', 'PROCESSING', 'gateway', $1),
        'gateway_call', $3::text, '' FROM s
)
INSERT INTO gateway_calls (id, transaction_id, gateway, verb, reference, request, sends,
    first_sent_at, last_sent_at, outcome, sent, received)
SELECT $3, $2, $1, 'CREATE', $4, (c).request, 1, now(), now(), '', '{}', '{}' FROM s
"""

_FINISH: Final = """
PREPARE finish_payment (text, uuid, uuid, uuid, uuid, uuid, text) AS
WITH s AS (SELECT * FROM sample WHERE gateway = $1),
o AS (
    UPDATE orders SET status = 'PAID', version = 2, amount_paid = total, updated_at = now()
    WHERE id = $2
),
t AS (
    UPDATE transactions x SET status = 'SUCCESS', version = 3, applied = true,
        amount_captured = x.amount, psp_reference = $7, psp_data = (s.t).psp_data, due_at = NULL,
        lease_until = NULL, ended_at = now(), updated_at = now()
    FROM s WHERE x.id = $3
),
c AS (
    UPDATE gateway_calls x SET answered_at = now(), outcome = (s.c).outcome,
        http_status = (s.c).http_status, duration_ms = (s.c).duration_ms, sent = (s.c).sent,
        received = (s.c).received
    FROM s WHERE x.id = $4
),
w AS (
    INSERT INTO webhook_events (id, gateway, event_id, event_type, verified, state,
        refused_because, transaction_id, reference, psp_reference, body, query_string, headers,
        deliveries, received_at, applied_at, attempt, failures)
    SELECT $5, $1, $7, (w).event_type, true, 'APPLIED', '', $3, $7, $7, (w).body,
        (w).query_string, (w).headers, 1, now(), now(), 0, 0 FROM s
),
f AS (
    INSERT INTO transfers (id, kind, debit_id, credit_id, amount, currency, transaction_id)
    SELECT new_id(), 'capture', debit, credit, (s.t).amount, (s.t).currency, $3 FROM s
),
n AS (
    INSERT INTO notifications (id, event_key, template, channel, recipient, locale, context,
        subject_id, title, text, attempt, failures, due_at)
    SELECT $6, 'payment.paid:' || $3, (n).template, (n).channel, (n).recipient, (n).locale,
        (n).context, $3, '', '', 0, 0, now() FROM s
)
INSERT INTO audit_events (id, actor_kind, actor_id, action, subject_type, subject_id, version,
    before, after, cause_type, cause_id, request_id)
SELECT new_id(), 'gateway', $1, e.action, e.kind, e.id, e.version, e.before::jsonb,
    jsonb_build_object('status', e.after, 'amount', (s.t).amount, 'currency', (s.t).currency,
        'psp_reference', $7),
    'webhook', $5::text, (k).request_id
FROM s, (VALUES
    ('transaction.success', 'transaction', $3, 3, '{"status": "PROCESSING"}', 'SUCCESS'),
    ('order.paid', 'order', $2, 2, '{"status": "PENDING"}', 'PAID')
) AS e (action, kind, id, version, before, after)
"""

_MAILED: Final = """
PREPARE write_mailed (text, uuid[]) AS
UPDATE notifications x SET title = (s.n).title, text = (s.n).text, sent_at = now(), due_at = NULL
FROM sample s WHERE s.gateway = $1 AND x.id = ANY($2)
"""

_Item = tuple[Kind, UUID]


class SqlBaseline:
    """Writes the rows of payments by plain SQL, over the fastest number of connections."""

    def __init__(self, environment: Environment) -> None:
        """Copy sample rows: the product must have finished a payment of each kind before."""
        self._environment = environment
        self._copy_samples()
        self.connections = self._best_number()

    def round(self, payments: int) -> float:
        """Write ``payments`` payments and return the rate per minute."""
        return self._write(payments, self.connections)

    def _copy_samples(self) -> None:
        with closing(self._environment.connect()) as product, product.cursor() as at:
            rows = {kind.gateway: _sample(at, kind) for kind in MIX}
        with closing(self._environment.connect(BASELINE_DATABASE)) as floor, floor.cursor() as at:
            at.execute("SET statement_timeout = 0")
            at.execute(_SAMPLES_TABLE)
            for gateway, row in rows.items():
                parts = dict(zip("tkcwn", row, strict=True))
                at.execute(_SAMPLES_ROW, {"gateway": gateway, **parts})
            at.execute("ANALYZE sample")

    def _best_number(self) -> int:
        rates = {count: self._write(TRIAL_PAYMENTS, count) for count in CONNECTIONS_TRIED}
        return max(rates, key=lambda count: rates[count])

    def _write(self, payments: int, connections: int) -> float:
        share = -(-payments // len(MIX))
        work: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        for kind in MIX:
            for order_id in make_orders(self._environment, kind, share, BASELINE_DATABASE):
                work.put((kind, order_id))
        total = work.qsize()
        opened = [self._prepared() for _ in range(connections)]
        threads = [threading.Thread(target=_work, args=(one, work)) for one in opened]
        started = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - started
        for one in opened:
            one.close()
        return per_minute(total, seconds)

    def _prepared(self) -> connection:
        opened = self._environment.connect(BASELINE_DATABASE)
        with opened.cursor() as at:
            for statement in (_CREATE, _SEND, _FINISH, _MAILED):
                at.execute(statement)
        return opened


def _sample(at: cursor, kind: Kind) -> Sequence[str]:
    at.execute(_SAMPLE, [kind.gateway])
    row: Sequence[Any] | None = at.fetchone()
    if row is None:
        raise RuntimeError(f"no finished payment by {kind.method} to take the floor's rows from")
    return [json.dumps(part) for part in row]


def _work(opened: connection, work: "queue.SimpleQueue[_Item]") -> None:
    unsent: dict[str, list[UUID]] = {kind.gateway: [] for kind in MIX}
    with opened.cursor() as at:
        while (item := _next(work)) is not None:
            kind, order_id = item
            unsent[kind.gateway].append(_pay(at, kind.gateway, order_id))
            if len(unsent[kind.gateway]) >= MAILS_TOGETHER:
                _write_mailed(at, unsent, kind.gateway)
        for gateway in unsent:
            _write_mailed(at, unsent, gateway)


def _next(work: "queue.SimpleQueue[_Item]") -> _Item | None:
    try:
        return work.get_nowait()
    except queue.Empty:
        return None


def _pay(at: cursor, gateway: str, order_id: UUID) -> UUID:
    payment, call, event, notice = (_new_id() for _ in range(4))
    order, reference = str(order_id), payment.hex
    ids = [gateway, order, str(payment)]
    at.execute("EXECUTE create_payment (%s, %s, %s, %s)", [*ids, f"floor-{reference}"])
    sent = [gateway, str(payment), str(call), reference]
    at.execute("EXECUTE send_payment (%s, %s, %s, %s)", sent)
    success_values = [*ids, str(call), str(event), str(notice), reference]
    at.execute("EXECUTE finish_payment (%s, %s, %s, %s, %s, %s, %s)", success_values)
    return notice


def _write_mailed(at: cursor, unsent: dict[str, list[UUID]], gateway: str) -> None:
    ids = [str(notice) for notice in unsent[gateway]]
    at.execute("EXECUTE write_mailed (%s, %s::uuid[])", [gateway, ids])
    unsent[gateway] = []


def _new_id() -> UUID:
    milliseconds = time.time_ns() // 1_000_000
    return UUID(int=milliseconds << 80 | 0x7 << 76 | (uuid4().int & ((1 << 76) - 1)))
