"""Nothing is forgotten: everything open is looked at again, everybody is told."""

from typing import Final

from payments.invariants.invariant import Invariant

LIVENESS: Final = (
    Invariant(
        "I16",
        "Whatever has not ended has a booked next look, or an open case that a person owns.",
        """
        SELECT t.id, format('%%s, due %%s', t.status, coalesce(t.due_at::text, 'never'))
        FROM transactions t
        LEFT JOIN unnest(%(gateways)s::text[], %(patience)s::interval[]) AS p(name, patience)
            ON p.name = t.gateway
        WHERE t.status = ANY(%(live)s)
            AND (t.due_at IS NULL OR t.due_at > now()
                + coalesce(p.patience, %(unknown_gateway_patience)s))
            AND NOT EXISTS (
                SELECT FROM cases c WHERE c.transaction_id = t.id AND c.state = 'OPEN')
        UNION ALL
        SELECT w.id, format('webhook %%s is not due', w.state)
        FROM webhook_events w
        WHERE w.state IN ('NEW', 'PARKED', 'UNVERIFIED') AND w.due_at IS NULL
            AND NOT EXISTS (
                SELECT FROM cases c WHERE c.webhook_event_id = w.id AND c.state = 'OPEN')
        UNION ALL
        SELECT n.id, format('%%s neither sent nor due', n.event_key)
        FROM notifications n
        WHERE n.sent_at IS NULL AND n.due_at IS NULL AND n.failures < %(notification_tries)s
        """,
    ),
    Invariant(
        "I17",
        "At rest nothing is under way, unsent or unread, unless a person has it.",
        """
        SELECT t.id, t.status FROM transactions t
        WHERE t.status = ANY(%(live)s) AND NOT EXISTS (
            SELECT FROM cases c WHERE c.transaction_id = t.id AND c.state = 'OPEN')
        UNION ALL
        SELECT id, event_key FROM notifications WHERE sent_at IS NULL
        UNION ALL
        SELECT w.id, w.state FROM webhook_events w
        WHERE w.state IN ('NEW', 'PARKED', 'UNVERIFIED') AND NOT EXISTS (
            SELECT FROM cases c WHERE c.webhook_event_id = w.id AND c.state = 'OPEN')
        """,
        at_rest=True,
    ),
    Invariant(
        "R03",
        "The customer of a paid order is told once.",
        """
        SELECT t.id, format('%%s messages', count(n.id))
        FROM transactions t
        JOIN orders o ON o.id = t.order_id AND o.customer_email <> ''
        LEFT JOIN notifications n
            ON n.event_key = 'payment.paid:' || replace(t.id::text, '-', '')
            AND n.channel = 'EMAIL'
        WHERE t.status = 'SUCCESS' AND t.applied
        GROUP BY t.id HAVING count(n.id) <> 1
        """,
    ),
)
