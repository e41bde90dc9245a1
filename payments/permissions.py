"""The rights that staff need for acts on payments, as ``app.codename``.

Each stands in ``Meta.permissions`` of the model it acts on. Django's own ``change_…`` rights mean
nothing here: no page of the admin edits money.
"""

from typing import Final

REQUEST_STATUS_QUERY: Final = "payments.request_status_query"
REPLAY_WEBHOOK: Final = "payments.replay_webhook"
RESOLVE_CASE: Final = "payments.resolve_case"
