"""Who did what and why: the audit trail, the keys, the inbox, the frozen rows."""

from typing import Final

from payments.invariants.invariant import Invariant

TRACE: Final = (
    Invariant(
        "I10",
        "The state of a row is what its last audit event says.",
        """
        SELECT r.id, format('%%s, audited as %%s', r.status, e.after ->> 'status')
        FROM (
            SELECT id, 'transaction' AS kind, status, version FROM transactions
            UNION ALL SELECT id, 'order', status, version FROM orders
        ) r
        LEFT JOIN audit_events e
            ON e.subject_type = r.kind AND e.subject_id = r.id AND e.version = r.version
        WHERE e.after ->> 'status' IS DISTINCT FROM r.status
            OR EXISTS (
                SELECT FROM audit_events later WHERE later.subject_type = r.kind
                    AND later.subject_id = r.id AND later.version > r.version
            )
        """,
    ),
    Invariant(
        "I12",
        "Audit versions have no gap, each goes on from the one before, and every move is legal.",
        """
        WITH legal AS (
            SELECT 'transaction' AS kind, b AS before, a AS after
            FROM unnest(%(transaction_before)s::text[], %(transaction_after)s::text[]) AS m(b, a)
            UNION ALL
            SELECT 'order', b, a
            FROM unnest(%(order_before)s::text[], %(order_after)s::text[]) AS m(b, a)
        ), story AS (
            SELECT subject_type, subject_id, version, before ->> 'status' AS before,
                after ->> 'status' AS after,
                lag(version) OVER life AS version_before, lag(after ->> 'status') OVER life AS was
            FROM audit_events
            WHERE version IS NOT NULL AND subject_type IN ('transaction', 'order')
            WINDOW life AS (PARTITION BY subject_type, subject_id ORDER BY version)
        )
        SELECT subject_id, format('version %%s: %%s -> %%s', version, before, after)
        FROM story
        WHERE version <> coalesce(version_before, 0) + 1
            OR before IS DISTINCT FROM was
            OR (version = 1 AND after <> 'PENDING')
            OR (version > 1 AND NOT EXISTS (
                SELECT FROM legal l
                WHERE (l.kind, l.before, l.after) = (subject_type, story.before, story.after)
            ))
        """,
    ),
    Invariant(
        "I13",
        "Every end has evidence: a genuine event, an answer, a settlement, proof, or a person.",
        """
        SELECT e.subject_id, format('%%s by %%s %%s', e.action, e.cause_type, e.cause_id)
        FROM audit_events e
        WHERE e.subject_type = 'transaction'
            AND e.after ->> 'status' IN ('SUCCESS', 'FAILED', 'AUTHORIZED')
            AND NOT CASE e.cause_type
                WHEN 'webhook' THEN EXISTS (
                    SELECT FROM webhook_events w WHERE w.id::text = e.cause_id AND w.verified)
                WHEN 'response' THEN EXISTS (
                    SELECT FROM gateway_calls c WHERE c.id::text = e.cause_id)
                WHEN 'query' THEN EXISTS (
                    SELECT FROM gateway_calls c WHERE c.id::text = e.cause_id)
                WHEN 'settlement' THEN e.cause_id <> ''
                WHEN 'proof' THEN e.cause_id <> ''
                WHEN 'person' THEN e.cause_id <> '' AND e.actor_kind = 'user'
                ELSE false
            END
        """,
    ),
    Invariant(
        "I14",
        "A key is one payment of one client for ever, with the answer that was given.",
        """
        SELECT k.id, format('%%s of %%s', k.key, k.client)
        FROM idempotency_keys k LEFT JOIN transactions t ON t.id = k.transaction_id
        WHERE t.id IS NULL OR k.response = '' OR t.client <> k.client
        UNION ALL
        SELECT min(id::text)::uuid, format('%%s rows for %%s of %%s', count(*), key, client)
        FROM idempotency_keys GROUP BY client, key HAVING count(*) > 1
        """,
    ),
    Invariant(
        "I15",
        "What is not proven to come from a gateway changes nothing; what is, counts once.",
        """
        SELECT id, format('%%s %%s, not verified', gateway, state)
        FROM webhook_events
        WHERE NOT verified AND (state NOT IN ('REJECTED', 'UNVERIFIED', 'REPLACED')
            OR transaction_id IS NOT NULL OR applied_at IS NOT NULL OR event_id <> ''
            OR (due_at IS NOT NULL AND state <> 'UNVERIFIED'))
        UNION ALL
        SELECT min(id::text)::uuid, format('%%s rows for %%s', count(*), event_id)
        FROM webhook_events WHERE verified GROUP BY gateway, event_id HAVING count(*) > 1
        """,
    ),
    Invariant(
        "I18",
        "The triggers that freeze rows and states are there and awake.",
        """
        SELECT wanted.name, 'missing or disabled on ' || wanted.on_table
        FROM unnest(%(trigger_tables)s::text[], %(trigger_names)s::text[])
            AS wanted(on_table, name)
        WHERE NOT EXISTS (
            SELECT FROM pg_trigger t
            WHERE t.tgrelid = wanted.on_table::regclass AND t.tgname = wanted.name
                AND t.tgenabled IN ('O', 'A')
        )
        """,
    ),
    Invariant(
        "R04",
        "What went to a gateway was written down before, and what never went was never sent.",
        """
        SELECT t.id, format('%%s without a written CREATE', t.status)
        FROM transactions t
        WHERE EXISTS (
                SELECT FROM audit_events e WHERE e.subject_type = 'transaction'
                    AND e.subject_id = t.id AND e.after ->> 'status' = 'PROCESSING')
            AND NOT EXISTS (
                SELECT FROM gateway_calls c WHERE c.transaction_id = t.id AND c.verb = 'CREATE')
        UNION ALL
        SELECT e.subject_id, 'failed as never sent, but there is a call'
        FROM audit_events e
        WHERE e.subject_type = 'transaction' AND e.before ->> 'status' = 'PENDING'
            AND e.after ->> 'status' = 'FAILED' AND EXISTS (
                SELECT FROM gateway_calls c WHERE c.transaction_id = e.subject_id)
        """,
    ),
    Invariant(
        "R05",
        "What was asked for is what the first audit event says.",
        """
        SELECT t.id, format('%%s %%s by %%s, audited as %%s', t.amount, t.currency, t.gateway,
            e.after)
        FROM transactions t
        LEFT JOIN audit_events e
            ON e.subject_type = 'transaction' AND e.subject_id = t.id AND e.version = 1
        WHERE (e.after ->> 'amount', e.after ->> 'currency')
            IS DISTINCT FROM (t.amount::text, t.currency::text)
            OR (t.reroutes = 0 AND e.after ->> 'gateway' IS DISTINCT FROM t.gateway::text)
        """,
    ),
    Invariant(
        "R07",
        "A payment was handed to another gateway only as audited, and only while uncharged.",
        """
        SELECT t.id, format('%%s after %%s moves, audited: %%s', t.gateway, t.reroutes,
            string_agg(e.after ->> 'gateway', ', ' ORDER BY e.id))
        FROM transactions t
        LEFT JOIN audit_events e ON e.subject_type = 'transaction' AND e.subject_id = t.id
            AND e.action = %(rerouted)s
        WHERE t.reroutes > 0 GROUP BY t.id
        HAVING count(e.id) <> t.reroutes
            OR (array_agg(e.after ->> 'gateway' ORDER BY e.id DESC))[1]
                IS DISTINCT FROM t.gateway::text
        UNION ALL
        SELECT c.transaction_id, format('%%s sends to %%s, %%s proven without effect',
            c.sends, c.gateway, c.refusals)
        FROM gateway_calls c JOIN transactions t ON t.id = c.transaction_id
        WHERE c.gateway <> t.gateway AND c.verb = 'CREATE' AND c.sends <> c.refusals
        """,
    ),
    Invariant(
        "R06",
        "A payment token is gone when its payment has ended.",
        """
        SELECT id, status FROM transactions
        WHERE payment_token <> '' AND NOT status = ANY(%(live)s)
        """,
    ),
)
